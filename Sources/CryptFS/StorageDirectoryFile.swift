internal import Glibc
package import Linux
internal import VolumeFormat

/// A storage's topmost directory: found, made, and locked against a second writer.
package enum StorageDirectoryFile {
    /// Opens it, and takes the writer's lock unless only reading is wanted.
    package static func open(
        _ path: String,
        isReadOnly: Bool
    ) throws(VolumeError) -> OwnedDescriptor {
        guard let descriptor = try openDirectory(path) else {
            throw .storageMissing(path: path)
        }
        if !isReadOnly { try lock(descriptor.rawValue, path) }
        return descriptor
    }

    /// Makes it where it is not there yet, for its owner only, and locks it.
    package static func create(_ path: String) throws(VolumeError) -> OwnedDescriptor {
        if mkdir(path, 0o755) == -1 {
            let errno = Errno.current
            guard errno == .fileExists else {
                throw .system(operation: "mkdir", path: path, errno)
            }
        }
        return try open(path, isReadOnly: false)
    }

    /// Whether there is anything in it; a directory that does not exist has nothing.
    ///
    /// What a crash left of ours does not count, nor does the directory a new ext4 begins with.
    package static func hasContent(_ path: String) throws(VolumeError) -> Bool {
        guard let descriptor = try openDirectory(path) else { return false }
        return try describing("list", path) { () throws(Errno) in
            try DirectoryScan.contains(descriptor.rawValue) { record in
                !DraftName.matches(record.name)
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

    /// The lock is the directory's own `flock`: it leaves no file in the storage, and goes with the
    /// process, however that ends.
    private static func lock(_ descriptor: Int32, _ path: String) throws(VolumeError) {
        do throws(Errno) {
            try FileCall.lock(descriptor)
        } catch .wouldBlock {
            throw .storageInUse(path: path, holder: holder(of: descriptor))
        } catch
            where error == .notSupported || error == .noFunction
            || error == .invalidArgument
        {
            // A network file system without locks: nothing to hold.
            Log.warning("The storage cannot be locked against a second writer", ["path": path])
        } catch {
            throw .system(operation: "lock", path: path, error)
        }
    }

    /// Looks the lock's holder up in `/proc/locks`, where there is one and it sees the holder.
    private static func holder(of descriptor: Int32) -> Int32? {
        guard let number = try? FileStatus(of: descriptor).identity.number,
            let file = fopen("/proc/locks", "re")
        else { return nil }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 256)
        while fgets(&line, Int32(line.count), file) != nil {
            let end = line.firstIndex(of: 0) ?? line.count
            let text = String(
                decoding: line[..<end].map { UInt8(bitPattern: $0) },
                as: UTF8.self
            )
            // 1: FLOCK  ADVISORY  WRITE 4711 fe:00:131073 0 EOF
            let fields = text.split(separator: " ")
            guard fields.count > 5, fields[1] == "FLOCK", fields[5].hasSuffix(":\(number)"),
                let pid = Int32(fields[4]), pid > 0
            else { continue }
            return pid
        }
        return nil
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
