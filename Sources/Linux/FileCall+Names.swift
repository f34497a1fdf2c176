internal import CLinux
internal import Glibc

// What changes or lists directories.
extension FileCall {
    /// What `rename` does when the new name exists.
    public enum RenameMode: UInt32, Sendable {
        /// It is replaced.
        case replace = 0
        /// The call fails: `RENAME_NOREPLACE`.
        case keepExisting = 1
        /// The two change places: `RENAME_EXCHANGE`.
        case exchange = 2
    }

    /// The corresponding C function is `renameat2`.
    public static func rename(
        _ name: FileName,
        in directory: Int32,
        to newName: FileName,
        in newDirectory: Int32,
        _ mode: RenameMode = .replace
    ) throws(Errno) {
        _ = try name.withCString { name throws(Errno) in
            try newName.withCString { newName throws(Errno) in
                try valueOrErrno {
                    linux_renameat(directory, name, newDirectory, newName, mode.rawValue)
                }
            }
        }
    }

    /// Removes a name of anything but a directory.
    ///
    /// The corresponding C function is `unlinkat`.
    public static func unlink(_ name: FileName, in directory: Int32) throws(Errno) {
        _ = try name.withCString { name throws(Errno) in
            try valueOrErrno { unlinkat(directory, name, 0) }
        }
    }

    /// Removes an empty directory.
    ///
    /// The corresponding C function is `unlinkat` with `AT_REMOVEDIR`.
    public static func removeDirectory(_ name: FileName, in directory: Int32) throws(Errno) {
        _ = try name.withCString { name throws(Errno) in
            try valueOrErrno { unlinkat(directory, name, AT_REMOVEDIR) }
        }
    }

    /// Makes a directory with a mode from which the umask is taken off.
    ///
    /// The corresponding C function is `mkdirat`.
    public static func makeDirectory(
        _ name: FileName,
        in directory: Int32,
        mode: UInt32
    ) throws(Errno) {
        _ = try name.withCString { name throws(Errno) in
            try valueOrErrno { mkdirat(directory, name, mode) }
        }
    }

    /// Sets where an open directory's next ``list(_:into:)`` begins: 0 for the beginning, or
    /// ``DirectoryRecord/next`` of a record.
    ///
    /// The corresponding C function is `lseek`.
    public static func seek(_ directory: Int32, to position: UInt64) throws(Errno) {
        _ = try valueOrErrno { lseek(directory, off_t(truncatingIfNeeded: position), SEEK_SET) }
    }

    /// Reads the next records of an open directory.
    ///
    /// - Returns: How many bytes of the buffer are filled, 0 at the end; take them apart with
    ///   ``DirectoryRecord``.
    ///
    /// The corresponding C function is `getdents64`.
    public static func list(
        _ directory: Int32,
        into buffer: UnsafeMutableRawBufferPointer
    ) throws(Errno) -> Int {
        try valueOrErrno { linux_getdents(directory, buffer.baseAddress, buffer.count) }
    }
}

/// One name of a listing.
///
/// The corresponding C type is `struct dirent64`.
public struct DirectoryRecord {
    /// The name in the buffer, without its NUL.
    public let name: UnsafeRawBufferPointer

    /// The file's inode number.
    public let number: UInt64

    /// Where the listing goes on behind this record.
    public let next: UInt64

    /// What the file is; nil where the file system does not say without being asked.
    public let kind: FileStatus.Kind?

    /// Length of the record in bytes.
    public let count: Int

    /// Reads the first record of what ``FileCall/list(_:into:)`` filled; nil when none is left.
    public init?(_ bytes: UnsafeRawBufferPointer) {
        var record = linux_directory_record()
        guard linux_read_directory_record(bytes.baseAddress, bytes.count, &record) == 0 else {
            return nil
        }
        name = UnsafeRawBufferPointer(start: record.name, count: record.count)
        number = record.number
        next = record.next
        count = record.length
        kind =
            switch Int(record.type) {
            case Int(DT_REG): .regular
            case Int(DT_DIR): .directory
            case Int(DT_LNK): .symbolicLink
            case Int(DT_UNKNOWN): nil
            default: .special
            }
    }
}
