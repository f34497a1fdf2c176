public import CryptFS
public import Linux

/// Why a volume is not shown in memory.
public enum ViewError: Error, Sendable {
    /// The volume does not open.
    case volume(VolumeError)

    /// The volume, or one of its files, cannot be read.
    case transfer(TransferError)

    /// The directory is on a file system that keeps its files on a disk, or somebody else's.
    case notInMemory(path: String)

    /// There is something in the directory.
    case notEmpty(path: String)

    /// Another secure-init shows a volume there.
    case inUse(path: String)

    /// The content would not fit, in bytes.
    case tooLarge(path: String, needed: UInt64, available: UInt64)

    /// There would be more files than the file system has room for.
    case tooManyFiles(path: String, needed: UInt64, available: UInt64)

    /// The kernel failed at something.
    case system(operation: String, path: String, Errno)

    /// The view was given up before it was complete.
    case interrupted
}

extension ViewError: CustomStringConvertible {
    /// One line for a person: what was tried, what was found, what would fix it.
    public var description: String {
        switch self {
        case .volume(let error): error.description
        case .transfer(let error): error.description
        case .notInMemory(let path):
            "--view memory takes a tmpfs or a ramfs, which \(path) is not: start the container with "
                + "--tmpfs \(path), or an emptyDir of medium Memory"
        case .notEmpty(let path):
            "\(path) is not empty, and what is in it is none of ours: empty it, or name another "
                + "with --mount"
        case .inUse(let path):
            "another secure-init shows a volume at \(path): give each a tmpfs of its own"
        case .tooLarge(let path, let needed, let available):
            "the volume does not fit at \(path): \(needed / 1024) KiB are needed, and "
                + "\(available / 1024) KiB there: raise the size of the tmpfs and the limit "
                + "on memory"
        case .tooManyFiles(let path, let needed, let available):
            "the volume does not fit at \(path): it has \(needed) files and directories, and there "
                + "is room for \(available): raise nr_inodes of the tmpfs"
        case .system(let operation, let path, let errno): "\(operation) \(path): \(errno)"
        case .interrupted: "given up before the view was complete"
        }
    }

    /// The code to exit with, of sysexits.
    public var exitCode: Int32 {
        switch self {
        case .volume(let error), .transfer(.volume(let error)): error.exitCode
        case .transfer(.file(_, .damaged)), .transfer(.file(_, .invalidTarget)): 65
        case .transfer, .system, .interrupted: 74
        case .notInMemory, .notEmpty, .inUse: 78
        case .tooLarge, .tooManyFiles: 71
        }
    }
}

/// Wraps what the kernel fails with at a view.
func viewing<Result: ~Copyable>(
    _ operation: String,
    _ path: String,
    _ body: () throws(Errno) -> Result
) throws(ViewError) -> Result {
    do throws(Errno) {
        return try body()
    } catch {
        throw .system(operation: operation, path: path, error)
    }
}
