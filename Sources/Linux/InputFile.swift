internal import CLinux
internal import Glibc

/// A file opened for reading only, closed on exec.
public struct InputFile: ~Copyable {
    private let descriptor: OwnedDescriptor

    /// Opens a file without waiting, whatever it is: a pipe nobody writes to opens at once.
    ///
    /// - Parameter path: Symbolic links are followed.
    /// - Throws: The number `open` left.
    ///
    /// The corresponding C function is `open` with `O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY`.
    public init(path: String) throws(Errno) {
        let flags = O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY
        descriptor = OwnedDescriptor(
            takingOwnershipOf: try valueOrErrno { linux_openat(AT_FDCWD, path, flags, 0) }
        )
    }

    /// What the file is.
    ///
    /// The corresponding C function is `fstat`.
    public borrowing func kind() throws(Errno) -> FileKind {
        var status = stat()
        let number = descriptor.rawValue
        _ = try valueOrErrno { fstat(number, &status) }
        return FileKind(mode: status.st_mode)
    }

    /// Reads what comes next.
    ///
    /// - Returns: The number of bytes read; 0 at the end.
    ///
    /// The corresponding C function is `read`.
    public borrowing func read(into buffer: UnsafeMutableRawBufferPointer) throws(Errno) -> Int {
        try Self.read(descriptor.rawValue, into: buffer)
    }

    /// Reads from a descriptor that somebody else owns.
    ///
    /// - Parameters:
    ///   - number: Open for reading.
    ///   - buffer: Filled from its start.
    /// - Returns: The number of bytes read; 0 at the end.
    /// - Throws: The number `read` left.
    ///
    /// The corresponding C function is `read`.
    public static func read(
        _ number: Int32,
        into buffer: UnsafeMutableRawBufferPointer
    ) throws(Errno) -> Int {
        try valueOrErrno { Glibc.read(number, buffer.baseAddress, buffer.count) }
    }
}

/// What a file is, as far as it matters to who reads it.
public enum FileKind: Equatable, Sendable {
    /// A regular file.
    case regular

    /// A directory.
    case directory

    /// A pipe, named or not.
    case pipe

    /// A socket.
    case socket

    /// A character or block device.
    case device

    /// Anything else.
    case other

    init(mode: mode_t) {
        switch mode & S_IFMT {
        case S_IFREG: self = .regular
        case S_IFDIR: self = .directory
        case S_IFIFO: self = .pipe
        case S_IFSOCK: self = .socket
        case S_IFCHR, S_IFBLK: self = .device
        default: self = .other
        }
    }
}

extension FileKind: CustomStringConvertible {
    /// With its article, as in "it is a directory".
    public var description: String {
        switch self {
        case .regular: "a regular file"
        case .directory: "a directory"
        case .pipe: "a pipe"
        case .socket: "a socket"
        case .device: "a device"
        case .other: "of no known kind"
        }
    }
}
