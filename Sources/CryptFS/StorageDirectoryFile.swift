internal import Glibc
package import Linux
internal import VolumeFormat

/// A storage's topmost directory: found, or made.
package enum StorageDirectoryFile {
    /// Opens it.
    package static func open(_ path: String) throws(VolumeError) -> OwnedDescriptor {
        guard let descriptor = try openDirectory(path) else {
            throw .storageMissing(path: path)
        }
        return descriptor
    }

    /// Opens it, and makes it where it is not there yet.
    package static func create(_ path: String) throws(VolumeError) -> OwnedDescriptor {
        if mkdir(path, 0o755) == -1 {
            let errno = Errno.current
            guard errno == .fileExists else {
                throw .system(operation: "mkdir", path: path, errno)
            }
        }
        return try open(path)
    }

    /// Whether there is anything in it; a directory that does not exist has nothing.
    ///
    /// What a crash left of ours does not count, nor does the directory a new ext4 begins with.
    package static func hasContent(_ path: String) throws(VolumeError) -> Bool {
        guard let descriptor = try openDirectory(path) else { return false }
        return try describing("list", path) { () throws(Errno) in
            try DirectoryScan.contains(descriptor.rawValue) { record in
                !DraftName.matches(record.name) && !WriterLock.isName(record.name)
                    && !GocryptfsNames.directoryIVName.withUTF8Buffer(record.name.elementsEqual)
                    && !record.name.elementsEqual("lost+found".utf8)
            }
        }
    }

    /// Opens a directory for listing; nil when it is not there.
    package static func openDirectory(_ path: String) throws(VolumeError) -> OwnedDescriptor? {
        do throws(Errno) {
            return try FileCall.open(path: path, [.readOnly, .directory])
        } catch {
            if error == .noSuchFile { return nil }
            if error == .notDirectory { throw .notADirectory(path: path) }
            throw .system(operation: "open", path: path, error)
        }
    }
}

/// Looks through a directory from its beginning.
package enum DirectoryScan {
    /// Whether any name but `.` and `..` satisfies `predicate`.
    static func contains(
        _ directory: Int32,
        _ predicate: (DirectoryRecord) -> Bool
    ) throws(Errno) -> Bool {
        var found = false
        try forEach(in: directory) { record in
            if predicate(record) { found = true }
        }
        return found
    }

    /// Calls `body` with every name but `.` and `..`.
    package static func forEach(
        in directory: Int32,
        _ body: (DirectoryRecord) -> Void
    ) throws(Errno) {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 32 << 10, alignment: 8)
        defer { buffer.deallocate() }
        try FileCall.seek(directory, to: 0)
        while true {
            let count = try FileCall.list(directory, into: buffer)
            guard count > 0 else { return }
            var rest = UnsafeRawBufferPointer(rebasing: buffer[..<count])
            while let record = DirectoryRecord(rest) {
                if !record.isDots { body(record) }
                rest = UnsafeRawBufferPointer(rebasing: rest[record.count...])
            }
        }
    }
}

extension DirectoryRecord {
    /// Whether this is `.` or `..`.
    var isDots: Bool {
        name.elementsEqual([0x2e]) || name.elementsEqual([0x2e, 0x2e])
    }
}
