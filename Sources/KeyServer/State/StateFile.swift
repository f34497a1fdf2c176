public import Cryptography
public import Glibc
internal import Linux

/// Reads and writes the small files that certificates and keys live in.
public enum StateFile {
    /// Larger than any file that belongs in the state directory.
    public static let maximumCount = 1 << 20

    /// Reads a whole file into memory that is wiped.
    ///
    /// - Parameters:
    ///   - path: A regular file, or a pipe such as `/dev/stdin`.
    ///   - limit: In bytes; a longer file is an error.
    /// - Returns: The contents.
    /// - Throws: ``KeyServerError/file(path:operation:errno:)``,
    ///   ``KeyServerError/fileTooLarge(path:limit:)``.
    public static func read(
        _ path: String,
        limit: Int = maximumCount
    ) throws(KeyServerError) -> SecretBytes {
        let descriptor = try attempt("open", path) { open(path, O_RDONLY | O_CLOEXEC) }
        let file = OwnedDescriptor(takingOwnershipOf: descriptor)
        return try read(file.rawValue, named: path, limit: limit)
    }

    /// Reads a descriptor to its end; the caller closes it.
    ///
    /// - Parameters:
    ///   - descriptor: Open for reading.
    ///   - name: How an error names it.
    ///   - limit: In bytes; more is an error.
    /// - Returns: The contents.
    /// - Throws: As ``read(_:limit:)``.
    public static func read(
        _ descriptor: Int32,
        named name: String,
        limit: Int = maximumCount
    ) throws(KeyServerError) -> SecretBytes {
        var chunks: [SecretBytes] = []
        var total = 0
        while true {
            var got = 0
            let chunk = try SecretBytes(count: 16_384) { buffer throws(KeyServerError) in
                got = try attempt("read", name) {
                    Glibc.read(descriptor, buffer.baseAddress, buffer.count)
                }
            }
            guard got > 0 else { return SecretBytes.concatenating(chunks) }
            total += got
            guard total <= limit else { throw .fileTooLarge(path: name, limit: limit) }
            chunks.append(chunk.slice(0..<got))
        }
    }

    /// Creates a file that does not exist, whole and durable, or leaves nothing.
    ///
    /// - Parameters:
    ///   - path: Must not exist.
    ///   - contents: At most ``maximumCount`` bytes.
    ///   - mode: Its permissions, whatever the umask.
    ///   - replacing: Take the place of a file that exists, in one step, and its owner's: root renews
    ///     what another user's server reads.
    /// - Throws: ``KeyServerError/exists(path:)``, ``KeyServerError/file(path:operation:errno:)``.
    public static func create(
        _ path: String,
        contents: SecretBytes,
        mode: mode_t,
        replacing: Bool = false
    ) throws(KeyServerError) {
        // Written under another name first: no reader ever sees half a key.
        let temporary = "\(path).\(Hexadecimal.encode(RandomBytes.make(count: 4))).tmp"
        let descriptor = try attempt("create", temporary) {
            open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        }
        let file = OwnedDescriptor(takingOwnershipOf: descriptor)
        do throws(KeyServerError) {
            try write(contents, to: file.rawValue, named: temporary)
            try attempt("set the mode of", temporary) { fchmod(file.rawValue, mode) }
            try attempt("write", temporary) { fsync(file.rawValue) }
            if replacing {
                keepOwner(of: path, for: file.rawValue)
                try attempt("rename", temporary) { rename(temporary, path) }
            } else {
                // link, unlike rename, fails where the name is taken.
                guard link(temporary, path) == 0 else {
                    let errno = Errno.current
                    if errno == Errno(rawValue: EEXIST) { throw .exists(path: path) }
                    throw .file(path: path, operation: "create", errno: errno)
                }
                unlink(temporary)
            }
        } catch {
            unlink(temporary)
            throw error
        }
    }

    /// Creates a directory, and those above it; one that exists is left as it is.
    ///
    /// - Throws: ``KeyServerError/file(path:operation:errno:)``.
    public static func createDirectory(_ path: String) throws(KeyServerError) {
        if isDirectory(path) { return }
        let parent = path.split(separator: "/").dropLast().joined(separator: "/")
        if !parent.isEmpty { try createDirectory(path.hasPrefix("/") ? "/\(parent)" : parent) }
        guard mkdir(path, 0o700) == 0 else {
            let errno = Errno.current
            // Somebody else may have made it in between.
            if errno.rawValue == EEXIST, isDirectory(path) { return }
            throw .file(path: path, operation: "create", errno: errno)
        }
    }

    /// Whether there is anything of that name.
    public static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    /// The names in a directory, sorted; `.` and `..` left out.
    ///
    /// - Throws: ``KeyServerError/file(path:operation:errno:)``.
    public static func names(in path: String) throws(KeyServerError) -> [String] {
        guard let directory = opendir(path) else {
            throw .file(path: path, operation: "list", errno: .current)
        }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    private static func keepOwner(of path: String, for descriptor: Int32) {
        guard let old = try? FileStatus(path: path) else { return }
        // Fails for who is neither root nor the owner, whose file it then rightly is.
        try? FileCall.setOwner(descriptor, user: old.user, group: old.group)
    }

    private static func isDirectory(_ path: String) -> Bool {
        let descriptor = open(path, O_DIRECTORY | O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        close(descriptor)
        return true
    }

    private static func write(
        _ contents: SecretBytes,
        to descriptor: Int32,
        named name: String
    ) throws(KeyServerError) {
        try contents.withUnsafeBytes { bytes throws(KeyServerError) in
            var rest = bytes[...]
            while !rest.isEmpty {
                let part = UnsafeRawBufferPointer(rebasing: rest)
                let count = try attempt("write", name) {
                    Glibc.write(descriptor, part.baseAddress, part.count)
                }
                rest = rest.dropFirst(count)
            }
        }
    }

    @discardableResult
    private static func attempt<Value: FixedWidthInteger>(
        _ operation: String,
        _ path: String,
        _ call: () -> Value
    ) throws(KeyServerError) -> Value {
        do throws(Errno) {
            return try valueOrErrno(call)
        } catch {
            throw .file(path: path, operation: operation, errno: error)
        }
    }
}
