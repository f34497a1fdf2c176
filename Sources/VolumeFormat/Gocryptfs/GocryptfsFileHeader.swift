/// The first 18 bytes of a file with content.
///
/// | offset | bytes | content |
/// | --- | --- | --- |
/// | 0 | 2 | version of the format, big-endian: 2 |
/// | 2 | 16 | ``GocryptfsFileID`` |
///
/// Nothing authenticates the header itself: with another number no block opens.
public struct GocryptfsFileHeader: Equatable, Sendable {
    /// Length in bytes.
    public static let count = 2 + GocryptfsFileID.count

    /// The one version of the format there is.
    public static let version: UInt16 = 2

    /// What every block is bound to.
    public let id: GocryptfsFileID

    /// A header for a file to be written.
    public init(id: GocryptfsFileID) {
        self.id = id
    }

    /// Reads a header.
    ///
    /// - Parameter bytes: The beginning of a file; what follows 18 bytes is passed over.
    /// - Throws: ``VolumeFormatError/headerTruncated(found:)``,
    ///   ``VolumeFormatError/headerNotRecognized`` for another version or a number of zeros.
    public init(parsing bytes: UnsafeRawBufferPointer) throws(VolumeFormatError) {
        guard bytes.count >= Self.count else {
            throw .headerTruncated(found: UInt64(bytes.count))
        }
        let version = UInt16(bigEndian: bytes.loadUnaligned(as: UInt16.self))
        guard version == Self.version,
            let id = GocryptfsFileID(UnsafeRawBufferPointer(rebasing: bytes[2..<Self.count]))
        else { throw .headerNotRecognized }
        self.id = id
    }

    /// Writes the 18 bytes.
    ///
    /// - Parameter buffer: At least 18 bytes; the rest is left alone.
    /// - Throws: ``VolumeFormatError/invalidBlockBuffer(found:)``.
    public func write(into buffer: UnsafeMutableRawBufferPointer) throws(VolumeFormatError) {
        guard buffer.count >= Self.count else { throw .invalidBlockBuffer(found: buffer.count) }
        buffer.storeBytes(of: Self.version.bigEndian, as: UInt16.self)
        id.withUnsafeBytes { id in
            UnsafeMutableRawBufferPointer(rebasing: buffer[2...]).copyMemory(from: id)
        }
    }
}
