internal import Cryptography

/// What the names in one directory are bound to: the file `gocryptfs.diriv` in it.
///
/// Sixteen random bytes, written once; a directory keeps them when it is renamed.
public struct GocryptfsDirectoryIV: Hashable, Sendable {
    /// Length in bytes.
    public static let count = 16

    /// Sixteen zeros: of every directory of a volume with deterministic names.
    public static let deterministic = GocryptfsDirectoryIV(low: 0, high: 0)

    private let low: UInt64
    private let high: UInt64

    /// Draws one, for a new directory.
    public static func random() -> GocryptfsDirectoryIV {
        var words: (UInt64, UInt64) = (0, 0)
        while words == (0, 0) { Swift.withUnsafeMutableBytes(of: &words) { RandomBytes.fill($0) } }
        return GocryptfsDirectoryIV(low: words.0, high: words.1)
    }

    /// Reads the file.
    ///
    /// - Parameter file: Its whole content; a byte more than 16 is enough to tell that it is longer.
    /// - Throws: ``VolumeFormatError/directoryIVInvalid(found:)`` unless it has 16 bytes that are
    ///   not all zero.
    public init(parsing file: UnsafeRawBufferPointer) throws(VolumeFormatError) {
        guard file.count == Self.count else { throw .directoryIVInvalid(found: file.count) }
        self.init(
            low: file.loadUnaligned(fromByteOffset: 0, as: UInt64.self),
            high: file.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
        )
        guard self != .deterministic else { throw .directoryIVInvalid(found: file.count) }
    }

    private init(low: UInt64, high: UInt64) {
        self.low = low
        self.high = high
    }

    /// Lends the 16 bytes, without allocating.
    public func withUnsafeBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try Swift.withUnsafeBytes(of: (low, high), body)
    }

    /// What the names of attributes are bound to, in every volume.
    static let attributeNames: GocryptfsDirectoryIV = {
        let text: StaticString = "xattr_name_iv_xx"
        return text.withUTF8Buffer { text in
            let text = UnsafeRawBufferPointer(text)
            return GocryptfsDirectoryIV(
                low: text.loadUnaligned(fromByteOffset: 0, as: UInt64.self),
                high: text.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
            )
        }
    }()
}
