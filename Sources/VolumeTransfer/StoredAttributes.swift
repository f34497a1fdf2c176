internal import Linux
internal import VolumeFormat

/// The extended attributes that gocryptfs's format keeps.
enum StoredAttributes {
    /// Opens every name and value of an entry; rclone's format keeps none.
    static func check(_ descriptor: Int32, of volume: StoredVolume) throws(TransferFault) {
        guard case .gocryptfs(let keys, let names) = volume.cipher else { return }
        let list: [UInt8]
        do throws(Errno) {
            list = try filling { buffer throws(Errno) in
                try ExtendedAttribute.list(of: descriptor, into: buffer)
            }
        } catch .notSupported {
            return
        } catch {
            throw .system(error)
        }
        guard !list.isEmpty else { return }
        do throws(VolumeFormatError) {
            var content = try GocryptfsContent(keys: keys)
            for stored in list.split(separator: 0) {
                guard try names.decryptAttributeName(Array(stored)) != nil,
                    let name = FileName(stored),
                    // Removed since it was listed.
                    let value = try? filling({ buffer throws(Errno) in
                        try ExtendedAttribute.read(name, of: descriptor, into: buffer)
                    })
                else { continue }
                _ = try value.withUnsafeBufferPointer { value throws(VolumeFormatError) in
                    try content.openValue(UnsafeRawBufferPointer(value))
                }
            }
        } catch {
            throw .damaged(error)
        }
    }

    private static func filling(
        _ body: (UnsafeMutableRawBufferPointer) throws(Errno) -> Int
    ) throws(Errno) -> [UInt8] {
        var bytes = [UInt8](
            repeating: 0,
            count: try body(UnsafeMutableRawBufferPointer(start: nil, count: 0))
        )
        guard !bytes.isEmpty else { return [] }
        let count = try bytes.withUnsafeMutableBufferPointer { bytes throws(Errno) in
            try body(UnsafeMutableRawBufferPointer(bytes))
        }
        bytes.removeLast(bytes.count - count)
        return bytes
    }
}
