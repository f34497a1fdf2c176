import Foundation
import TestSupport
import Testing

/// A volume in a temporary directory, served by another process and mounted by the real kernel.
final class MountedVolume {
    /// The key all of the tests' volumes have.
    static let key = "a key for tests only"

    /// Whose format a new volume has.
    enum Format: String, CaseIterable {
        case gocryptfs
        case rclone
    }

    /// The worker, as the tests were built with it.
    static let executable = Executables.ofTests("cryptfs-test-worker")

    let directory: TemporaryDirectory
    let storage: String
    let mountPoint: String
    let configuration: String
    let key: String
    let format: Format
    private(set) var worker: Subprocess?

    /// Mounts a new volume, or one that is there.
    init(
        storage: String? = nil,
        configuration: String? = nil,
        key: String = MountedVolume.key,
        format: Format = .rclone,
        options: [String] = ["--create"],
        in directory: TemporaryDirectory? = nil
    ) throws {
        let directory = try directory ?? TemporaryDirectory()
        self.directory = directory
        self.storage = storage ?? directory("storage")
        mountPoint = directory("mount")
        // Of a gocryptfs volume it is in the storage.
        self.configuration =
            configuration ?? (format == .rclone ? directory("encrypt.conf") : "-")
        self.key = key
        self.format = format
        try mount(options)
    }

    deinit {
        worker?.signal(SIGKILL)
        umount2(mountPoint, Int32(MNT_DETACH))
    }

    /// A path in the mount.
    func callAsFunction(_ name: String) -> String { mountPoint + "/" + name }

    /// Starts the worker and waits until it serves.
    func mount(_ options: [String] = ["--create"]) throws {
        let worker = try Self.start(
            [storage, mountPoint, configuration, key] + options
                + (format == .rclone ? ["--rclone"] : [])
        )
        self.worker = worker
        let deadline = Date(timeIntervalSinceNow: 20)
        while !worker.text.contains("ready") {
            if let status = worker.status {
                throw Failure("the worker ended with \(status): \(worker.errorText)")
            }
            guard Date() < deadline else { throw Failure("not ready: \(worker.errorText)") }
            usleep(5000)
        }
    }

    /// Runs a worker that is expected to end by itself.
    static func start(_ arguments: [String]) throws -> Subprocess {
        try Subprocess.start(executable, arguments)
    }

    /// Unmounts and waits for the worker's end; returns what it wrote to standard error.
    @discardableResult
    func unmount() throws -> String {
        var tries = 0
        while umount2(mountPoint, 0) == -1 {
            tries += 1
            guard tries < 1000 else { throw Failure("cannot unmount: errno \(errno)") }
            usleep(10_000)
        }
        guard let worker else { return "" }
        let output = try worker.wait(timeout: 60)
        self.worker = nil
        guard output.status == 0 else {
            throw Failure("the worker ended with \(output.status): \(output.errorText)")
        }
        return output.errorText
    }

    /// Unmounts and mounts again: nothing of the kernel's memory is left.
    func remount() throws {
        try unmount()
        try mount()
    }

    /// Kills the worker in whatever it is doing, and detaches the mount.
    func kill() throws {
        worker?.signal(SIGKILL)
        try worker?.wait()
        worker = nil
        umount2(mountPoint, Int32(MNT_DETACH))
    }

    struct Failure: Error, CustomStringConvertible {
        let description: String

        init(_ description: String) {
            self.description = description
        }
    }
}

extension MountedVolume {
    /// Names of ours in the storage that are not the volume's.
    func drafts() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: storage)
            .filter { $0.hasPrefix(".secure-store-") }
    }
}

extension MountedVolume {
    /// Mounts another's storage a second time, for reading only.
    convenience init(copyOf other: MountedVolume, _ options: [String] = ["--read-only"]) throws {
        try self.init(
            storage: other.storage,
            configuration: other.configuration,
            format: other.format,
            options: options
        )
    }
}
