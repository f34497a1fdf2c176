internal import Cryptography
internal import Glibc
internal import Linux

/// A file written piece by piece, which has its name only when it is whole and on disk.
struct NewFile: ~Copyable {
    private let path: String
    private let temporary: String
    private let descriptor: OwnedDescriptor

    /// Begins a file, mode 0600.
    ///
    /// - Parameter path: Must not exist.
    /// - Throws: ``KeyServerError/exists(path:)``, ``KeyServerError/file(path:operation:errno:)``.
    init(_ path: String) throws(KeyServerError) {
        guard !StateFile.exists(path) else { throw .exists(path: path) }
        let temporary = "\(path).\(Hexadecimal.encode(RandomBytes.make(count: 4))).tmp"
        let number = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard number >= 0 else {
            throw .file(path: temporary, operation: "create", errno: .current)
        }
        self.path = path
        self.temporary = temporary
        descriptor = OwnedDescriptor(takingOwnershipOf: number)
    }

    deinit {
        // What has its name by now is not there any more.
        unlink(temporary)
    }

    /// Appends bytes.
    ///
    /// - Throws: ``KeyServerError/file(path:operation:errno:)``.
    borrowing func write(_ bytes: SecretBytes) throws(KeyServerError) {
        let number = descriptor.rawValue
        try bytes.withUnsafeBytes { bytes throws(KeyServerError) in
            var rest = bytes[...]
            while !rest.isEmpty {
                let part = UnsafeRawBufferPointer(rebasing: rest)
                do throws(Errno) {
                    let count = try valueOrErrno {
                        Glibc.write(number, part.baseAddress, part.count)
                    }
                    rest = rest.dropFirst(count)
                } catch {
                    throw .file(path: temporary, operation: "write", errno: error)
                }
            }
        }
    }

    /// Gives the file its name, durably.
    ///
    /// - Throws: ``KeyServerError/exists(path:)``, ``KeyServerError/file(path:operation:errno:)``.
    borrowing func finish() throws(KeyServerError) {
        guard fsync(descriptor.rawValue) == 0 else {
            throw .file(path: temporary, operation: "write", errno: .current)
        }
        // link, unlike rename, fails where the name is taken.
        guard link(temporary, path) == 0 else {
            let errno = Errno.current
            if errno == Errno(rawValue: EEXIST) { throw .exists(path: path) }
            throw .file(path: path, operation: "create", errno: errno)
        }
        let parent = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
        let directory = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else {
            throw .file(path: parent, operation: "open", errno: .current)
        }
        defer { close(directory) }
        guard fsync(directory) == 0 else {
            throw .file(path: parent, operation: "write", errno: .current)
        }
    }
}
