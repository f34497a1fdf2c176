internal import Linux
internal import VolumeFormat

/// Where the extended attributes of an open file or directory are.
enum AttributePlace {
    /// On a plain file, as they are.
    case plain(Int32)

    /// On a stored one, sealed, as gocryptfs's format has them.
    case sealed(Int32, GocryptfsKeys, GocryptfsNames)

    /// rclone's format has none.
    case nowhere

    /// What a transfer carries: by their plain names.
    struct Content {
        var values: [FileName: [UInt8]] = [:]

        /// Why one of them, at least, cannot be read.
        var fault: TransferFault?
    }

    /// What a transfer made of a place.
    struct Change {
        /// Whether anything there was changed.
        var isChanged = false

        /// Whether everything could be kept there.
        var isWhole = true
    }

    /// Reads everything that a transfer carries: `user.*`, `trusted.*` and the two POSIX ACLs.
    ///
    /// - Returns: Nil where the file system, or the format, keeps none.
    /// - Throws: ``TransferFault/system(_:)`` where they cannot be listed.
    func read() throws(TransferFault) -> Content? {
        guard let descriptor else { return nil }
        let list: [UInt8]
        do throws(Errno) {
            list = try Self.filling { buffer throws(Errno) in
                try ExtendedAttribute.list(of: descriptor, into: buffer)
            }
        } catch .notSupported {
            return nil
        } catch {
            throw .system(error)
        }
        var content = Content()
        for listed in list.split(separator: 0) {
            do throws(TransferFault) {
                guard let listed = FileName(listed), let name = try plainName(of: listed) else {
                    continue
                }
                guard let value = try value(listed, of: descriptor) else { continue }
                content.values[name] = value
            } catch {
                content.fault = content.fault ?? error
            }
        }
        return content
    }

    /// Makes what is here what was read elsewhere.
    ///
    /// - Parameter wanted: Nil where nothing is known of attributes there; then these stay.
    /// - Returns: What came of it.
    /// - Throws: ``TransferFault/attributes(_:)``; whatever could be carried is here all the same.
    func take(_ wanted: Content?) throws(TransferFault) -> Change {
        var change = Change()
        guard let wanted else { return change }
        do throws(TransferFault) {
            guard let descriptor, let found = try read() else {
                change.isWhole = wanted.values.isEmpty
                return change
            }
            var fault = wanted.fault
            for name in found.values.keys where wanted.values[name] == nil {
                try system { () throws(Errno) in
                    try ExtendedAttribute.remove(storedName(of: name), of: descriptor)
                }
                change.isChanged = true
            }
            for (name, value) in wanted.values where found.values[name] != value {
                do throws(TransferFault) {
                    try write(name, value, to: descriptor)
                    change.isChanged = true
                } catch .system(.notSupported) {
                    change.isWhole = false
                } catch {
                    fault = fault ?? error
                }
            }
            if let fault { throw fault }
        } catch {
            throw .attributes(error)
        }
        return change
    }

    private var descriptor: Int32? {
        switch self {
        case .plain(let descriptor), .sealed(let descriptor, _, _): descriptor
        case .nowhere: nil
        }
    }

    /// What a listed attribute is called; nil for one that is not carried.
    private func plainName(of listed: FileName) throws(TransferFault) -> FileName? {
        let bytes = Array(listed.bytes)
        switch self {
        case .nowhere: return nil
        case .plain: return Self.isCarried(bytes) ? listed : nil
        case .sealed(_, _, let names):
            if GocryptfsNames.isStoredAsIs(attribute: bytes) { return listed }
            return try damaging { () throws(VolumeFormatError) in
                try names.decryptAttributeName(bytes)
            }
            .flatMap { Self.isCarried($0) ? FileName($0) : nil }
        }
    }

    /// What an attribute is called where it is written.
    private func storedName(of name: FileName) throws(Errno) -> FileName {
        let bytes = Array(name.bytes)
        guard case .sealed(_, _, let names) = self,
            !GocryptfsNames.isStoredAsIs(attribute: bytes)
        else { return name }
        // What the kernel says of a name that is too long.
        guard let stored = try? names.encryptAttributeName(bytes) else { throw .outOfRange }
        guard let stored = FileName(stored) else { throw .outOfRange }
        return stored
    }

    /// A value as it is plain; nil where it was removed since it was listed.
    private func value(
        _ listed: FileName,
        of descriptor: Int32
    ) throws(TransferFault) -> [UInt8]? {
        let found: [UInt8]
        do throws(Errno) {
            found = try Self.filling { buffer throws(Errno) in
                try ExtendedAttribute.read(listed, of: descriptor, into: buffer)
            }
        } catch .noData {
            return nil
        } catch {
            throw .system(error)
        }
        guard case .sealed(_, let keys, _) = self,
            !GocryptfsNames.isStoredAsIs(attribute: Array(listed.bytes))
        else { return found }
        return try damaging { () throws(VolumeFormatError) in
            var content = try GocryptfsContent(keys: keys)
            return try found.withUnsafeBufferPointer { value throws(VolumeFormatError) in
                try content.openValue(UnsafeRawBufferPointer(value))
            }
        }
    }

    private func write(
        _ name: FileName,
        _ value: [UInt8],
        to descriptor: Int32
    ) throws(TransferFault) {
        var written = value
        if case .sealed(_, let keys, _) = self,
            !GocryptfsNames.isStoredAsIs(attribute: Array(name.bytes))
        {
            written = try damaging { () throws(VolumeFormatError) in
                var content = try GocryptfsContent(keys: keys)
                return try value.withUnsafeBufferPointer { value throws(VolumeFormatError) in
                    try content.sealValue(UnsafeRawBufferPointer(value))
                }
            }
        }
        try system { () throws(Errno) in
            let name = try storedName(of: name)
            try written.withUnsafeBufferPointer { value throws(Errno) in
                try ExtendedAttribute.write(
                    name,
                    of: descriptor,
                    UnsafeRawBufferPointer(value),
                    flags: 0
                )
            }
        }
    }

    /// `security.*` is the business of the machine it was set on.
    private static func isCarried(_ name: [UInt8]) -> Bool {
        name.starts(with: "user.".utf8) || name.starts(with: "trusted.".utf8)
            || GocryptfsNames.isStoredAsIs(attribute: name)
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

extension StoredVolume {
    /// Where the attributes of something stored are.
    func attributes(of descriptor: Int32) -> AttributePlace {
        switch cipher {
        case .rclone: .nowhere
        case .gocryptfs(let keys, let names): .sealed(descriptor, keys, names)
        }
    }
}
