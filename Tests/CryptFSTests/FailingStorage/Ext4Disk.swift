import Foundation
import TestSupport
import Testing

/// An ext4 in a file, which can be made to go away as if the power were lost.
final class Ext4Disk {
    private let directory: TemporaryDirectory
    private let mountPoint: String

    init(megabytes: Int) throws {
        directory = try TemporaryDirectory()
        mountPoint = directory("disk")
        try FileManager.default.createDirectory(
            atPath: mountPoint,
            withIntermediateDirectories: false
        )
        try run("truncate", ["-s", "\(megabytes)M", directory("image")])
        try run("mkfs.ext4", ["-q", directory("image")])
        try mount()
    }

    deinit { umount2(mountPoint, Int32(MNT_DETACH)) }

    func callAsFunction(_ name: String) -> String { mountPoint + "/" + name }

    /// Nothing more reaches the disk, not even what its journal holds.
    func shutDown() throws {
        // EXT4_IOC_SHUTDOWN with EXT4_GOING_FLAGS_NOLOGFLUSH.
        let script =
            "import fcntl, os, struct, sys; "
            + "fcntl.ioctl(os.open(sys.argv[1], 0), 0x8004587d, struct.pack('I', 2))"
        try run("python3", ["-c", script, mountPoint])
    }

    /// What a machine does that starts again: the journal is replayed.
    func mountAgain() throws {
        try run("umount", [mountPoint])
        try mount()
    }

    private func mount() throws {
        try run("mount", ["-o", "loop", directory("image"), mountPoint])
    }

    private func run(_ program: String, _ arguments: [String]) throws {
        let output = try Subprocess.run(program, arguments)
        guard output.status == 0 else { throw MountedVolume.Failure(output.errorText) }
    }
}
