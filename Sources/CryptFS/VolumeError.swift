public import Linux
public import VolumeFormat

/// Why a volume cannot be opened, mounted or served.
public enum VolumeError: Error, Sendable {
    /// The configuration does not decrypt with the key that was served.
    case wrongKey(configuration: String)

    /// There is no configuration, and the storage has something in it.
    ///
    /// - Parameter storageHasContent: False when the storage is empty or not there: then a new
    ///   volume could be made, but was not wanted.
    case configurationMissing(path: String, storage: String, storageHasContent: Bool)

    /// The configuration cannot be read as one, or asks for what is not supported.
    case configurationInvalid(path: String, cause: VolumeFormatError)

    /// The configuration is a mount of its own, which no other file can replace.
    case configurationMounted(path: String)

    /// The storage or the mount point is not a directory.
    case notADirectory(path: String)

    /// Another process writes to this storage.
    ///
    /// - Parameter holder: Who, where the lock says it.
    case storageInUse(path: String, holder: WriterRecord?)

    /// The storage is not there.
    case storageMissing(path: String)

    /// The mount point has something in it.
    case mountPointNotEmpty(path: String)

    /// What was mounted is not to be found by the mount point's path.
    case mountPointExchanged(path: String)

    /// The mount point lies in the storage, or the reverse.
    case nested(mountPoint: String, storage: String)

    /// `/dev/fuse` is not there or may not be opened.
    case deviceUnavailable(Errno)

    /// Mounting is not permitted.
    case mountNotPermitted(path: String, Errno)

    /// The device was not mounted in time.
    case notMounted

    /// The kernel failed at something.
    ///
    /// - Parameter operation: What was tried, such as `open`.
    case system(operation: String, path: String, Errno)
}

extension VolumeError: CustomStringConvertible {
    /// One line for a person: what was tried, what was found, what would fix it.
    public var description: String {
        switch self {
        case .wrongKey(let path):
            "the key does not decrypt \(path): another volume's key, or the file was changed"
        case .configurationMissing(let path, let storage, true):
            "no volume configuration at \(path), but \(storage) is not empty: name the "
                + "configuration with --config; a new one would not decrypt what is there"
        case .configurationMissing(let path, let storage, false):
            "no volume configuration at \(path), and \(storage) is empty: name the configuration "
                + "with --config, or let a new volume be made with --create auto"
        case .configurationInvalid(let path, let cause):
            "\(path): \(cause)"
        case .configurationMounted(let path):
            "\(path) is mounted as a single file, and so cannot be replaced: mount the directory it "
                + "is in, or do this where the file lies"
        case .notADirectory(let path):
            "\(path) is not a directory"
        case .storageInUse(let path, let holder?):
            "\(holder) has \(path) open for writing: stop it, or mount read-only"
        case .storageInUse(let path, nil):
            "another process has \(path) open for writing: stop it, or mount read-only"
        case .storageMissing(let path):
            "no storage directory at \(path): name it with --storage"
        case .mountPointNotEmpty(let path):
            "\(path) is not empty, and mounting would hide what is in it: empty it, or mount "
                + "elsewhere with --mount"
        case .mountPointExchanged(let path):
            "\(path) was exchanged for another directory while it was mounted: let nobody else "
                + "write to the directories above it"
        case .nested(let mountPoint, let storage):
            "the mount point \(mountPoint) and the storage \(storage) lie one in the other: "
                + "use two separate directories"
        case .deviceUnavailable(let errno):
            "/dev/fuse cannot be opened (\(errno)): start the container with "
                + "--device /dev/fuse --cap-add SYS_ADMIN"
        case .mountNotPermitted(let path, let errno):
            "mounting at \(path) is not permitted (\(errno)): start the container with "
                + "--device /dev/fuse --cap-add SYS_ADMIN, and where AppArmor forbids it with "
                + "--security-opt apparmor:unconfined"
        case .notMounted:
            "the FUSE device was not mounted in time"
        case .system(let operation, let path, let errno):
            "\(operation) \(path): \(errno)"
        }
    }
}

extension VolumeError {
    /// The code to exit with, of sysexits.
    public var exitCode: Int32 {
        switch self {
        case .wrongKey: 65
        case .deviceUnavailable, .mountNotPermitted, .notMounted: 71
        case .mountPointExchanged, .system: 74
        case .configurationMissing, .configurationInvalid, .configurationMounted, .notADirectory,
            .storageInUse, .storageMissing, .mountPointNotEmpty, .nested:
            78
        }
    }
}

/// Runs a system call that a person hears of by what it was tried on.
func describing<Result: ~Copyable>(
    _ operation: String,
    _ path: String,
    _ body: () throws(Errno) -> Result
) throws(VolumeError) -> Result {
    do throws(Errno) {
        return try body()
    } catch {
        throw .system(operation: operation, path: path, error)
    }
}
