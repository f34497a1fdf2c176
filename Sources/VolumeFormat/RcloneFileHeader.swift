/// The first 32 bytes of an encrypted file.
///
/// | offset | bytes | content |
/// | --- | --- | --- |
/// | 0 | 8 | `RCLONE`, two zeros |
/// | 8 | 24 | ``FileNonce`` |
///
/// Nothing authenticates the header itself: with another nonce no block opens, and a file without
/// blocks has nothing to protect.
public struct RcloneFileHeader: Equatable, Sendable {
    /// Length in bytes.
    public static let count = 32

    /// What block nonces follow from.
    public let nonce: FileNonce

    private static let magic: StaticString = "RCLONE\0\0"

    /// A header for a file to be written.
    public init(nonce: FileNonce) {
        self.nonce = nonce
    }

    /// Reads a header.
    ///
    /// - Parameter bytes: The beginning of a file; what follows 32 bytes is passed over.
    /// - Throws: ``VolumeFormatError/headerTruncated(found:)``,
    ///   ``VolumeFormatError/headerNotRecognized``.
    public init(parsing bytes: UnsafeRawBufferPointer) throws(VolumeFormatError) {
        guard bytes.count >= Self.count else {
            throw .headerTruncated(found: UInt64(bytes.count))
        }
        let isMagic = Self.magic.withUTF8Buffer { bytes.prefix(8).elementsEqual($0) }
        guard isMagic, let nonce = FileNonce(UnsafeRawBufferPointer(rebasing: bytes[8..<32])) else {
            throw .headerNotRecognized
        }
        self.nonce = nonce
    }

    /// Writes the 32 bytes.
    ///
    /// - Parameter buffer: At least 32 bytes; the rest is left alone.
    /// - Throws: ``VolumeFormatError/invalidBlockBuffer(found:)`` for a shorter one.
    public func write(into buffer: UnsafeMutableRawBufferPointer) throws(VolumeFormatError) {
        guard buffer.count >= Self.count else { throw .invalidBlockBuffer(found: buffer.count) }
        Self.magic.withUTF8Buffer { buffer.copyMemory(from: UnsafeRawBufferPointer($0)) }
        nonce.withUnsafeBytes { nonce in
            UnsafeMutableRawBufferPointer(rebasing: buffer[8..<32]).copyMemory(from: nonce)
        }
    }
}
