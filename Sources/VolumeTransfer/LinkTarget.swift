internal import CryptFS
internal import Linux

/// The target of a symbolic link, as rclone stores one: the content of a file.
enum LinkTarget {
    /// The kernel's `PATH_MAX`, without the NUL.
    private static let maximumCount: UInt64 = 4095

    /// Reads a target.
    static func read(
        _ name: FileName,
        in directory: borrowing OwnedDescriptor,
        of volume: StoredVolume,
        _ buffers: TransferBuffers
    ) throws(TransferFault) -> [UInt8] {
        let file = try volume.openFile(name, in: directory)
        let size = try stored { () throws(SealedFileError) in try file.storedContentSize() }
        guard (1...maximumCount).contains(size) else { throw .invalidTarget }
        let count = try file.read(at: 0, size: size, buffers)
        let target = Array(buffers.plain[..<count])
        guard !target.contains(0) else { throw .invalidTarget }
        return target
    }
}
