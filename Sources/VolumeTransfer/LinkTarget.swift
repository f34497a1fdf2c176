internal import CryptFS
internal import Linux
internal import VolumeFormat

/// The target of a symbolic link: rclone stores it as the content of a file, gocryptfs sealed in a
/// link.
enum LinkTarget {
    /// The kernel's `PATH_MAX`, without the NUL.
    private static let maximumCount: UInt64 = 4095

    /// Reads a target.
    static func read(
        _ name: FileName,
        in directory: borrowing OwnedDescriptor,
        of volume: StoredVolume
    ) throws(TransferFault) -> [UInt8] {
        let target: [UInt8]
        switch volume.cipher {
        case .rclone: target = try readFile(name, in: directory, of: volume)
        case .gocryptfs(let keys, let names):
            let number = directory.rawValue
            let text = try system { () throws(Errno) in try FileCall.readLink(name, in: number) }
            guard case .encrypted = names.scheme else { return text }
            target = try damaging { () throws(VolumeFormatError) in
                var content = try GocryptfsContent(keys: keys)
                let sealed = try names.decodeTarget(text)
                return try sealed.withUnsafeBufferPointer { sealed throws(VolumeFormatError) in
                    try content.openValue(UnsafeRawBufferPointer(sealed))
                }
            }
        }
        guard !target.isEmpty, !target.contains(0) else { throw .invalidTarget }
        return target
    }

    /// What is stored for a target.
    ///
    /// - Returns: The target of the stored link.
    static func seal(
        _ target: [UInt8],
        _ keys: GocryptfsKeys,
        _ names: GocryptfsNames
    ) throws(TransferFault) -> [UInt8] {
        guard case .encrypted = names.scheme else { return target }
        return try damaging { () throws(VolumeFormatError) in
            var content = try GocryptfsContent(keys: keys)
            let sealed = try target.withUnsafeBufferPointer { target throws(VolumeFormatError) in
                try content.sealValue(UnsafeRawBufferPointer(target))
            }
            return names.encodeTarget(sealed)
        }
    }

    private static func readFile(
        _ name: FileName,
        in directory: borrowing OwnedDescriptor,
        of volume: StoredVolume
    ) throws(TransferFault) -> [UInt8] {
        let file = try volume.openFile(name, in: directory)
        let size = try file.contentSize()
        guard (1...maximumCount).contains(size) else { throw .invalidTarget }
        let buffers = TransferBuffers()
        let count = try file.read(at: 0, size: size, into: buffers.plain, sealed: buffers.sealed)
        return Array(buffers.plain[..<count])
    }
}
