import CryptFS
import Foundation
import Linux
import TestSupport
import Testing

@Suite(.requires(.fuse))
struct MountPointTests {
    @Test func `a missing mount point is made, with what is above it`() throws {
        let directory = try TemporaryDirectory()
        let mountPoint = try MountPoint(
            preparing: directory("a/b/c"),
            storage: directory("storage")
        )
        #expect(mountPoint.path == directory("a/b/c"))
        #expect(FileManager.default.fileExists(atPath: directory("a/b/c")))
    }

    @Test func `a mount point with something in it is refused`() throws {
        let directory = try TemporaryDirectory()
        try directory.write("x", to: "mount/x")
        expect(
            "\(directory("mount")) is not empty, and mounting would hide what is in it: empty it, "
                + "or mount elsewhere with --mount"
        ) { try MountPoint(preparing: directory("mount"), storage: directory("storage")) }
        try directory.write("x", to: "file")
        expect("\(directory("file")) is not a directory") {
            try MountPoint(preparing: directory("file"), storage: directory("storage"))
        }
    }

    @Test func `mount point and storage one in the other are refused`() throws {
        let directory = try TemporaryDirectory()
        for name in ["s/m", "s", "s/m/n", "link/m"] {
            try FileManager.default.createDirectory(
                atPath: directory("s"),
                withIntermediateDirectories: true
            )
            try? FileManager.default.createSymbolicLink(
                atPath: directory("link"),
                withDestinationPath: "s"
            )
            for (mount, storage) in [(name, "s"), ("s", name)] where mount == name || name != "s" {
                let fresh = directory(mount)
                try? FileManager.default.createDirectory(
                    atPath: directory(storage),
                    withIntermediateDirectories: true
                )
                #expect(throws: VolumeError.self) {
                    try MountPoint(preparing: fresh, storage: directory(storage))
                }
            }
            try FileManager.default.removeItem(atPath: directory("s"))
        }
        // Names that only begin alike are two.
        _ = try MountPoint(preparing: directory("data-mount"), storage: directory("data"))
    }

    @Test func `what a crash left mounted is detached and used again`() throws {
        let volume = try MountedVolume()
        try Data("kept".utf8).write(to: URL(fileURLWithPath: volume("file")))
        volume.worker?.signal(SIGKILL)
        try volume.worker?.wait()
        #expect(throws: (any Error).self) {
            try FileManager.default.contentsOfDirectory(atPath: volume.mountPoint)
        }
        try volume.mount()
        #expect(try String(contentsOfFile: volume("file"), encoding: .utf8) == "kept")
        try volume.unmount()
    }

    /// `kept` in it is what a mount would hide.
    private func replace(_ name: String, in directory: TemporaryDirectory) throws {
        #expect(rename(directory(name), directory("moved")) == 0)
        try directory.write("kept", to: "victim/kept")
        #expect(symlink(directory("victim"), directory(name)) == 0)
    }

    private func device(of path: String) throws -> UInt64 {
        try FileStatus(path: path).identity.device
    }

    @Test func `a directory that was exchanged since it was looked at is not mounted on`() throws {
        let directory = try TemporaryDirectory()
        let place = try MountPoint(preparing: directory("mount"), storage: directory("storage"))
        try replace("mount", in: directory)
        do {
            try place.mount(device: MountPoint.openDevice(), readOnly: false)
            Issue.record("it was mounted")
        } catch {
            #expect(
                error.description
                    == "\(directory("mount")) was exchanged for another directory while "
                    + "it was mounted: let nobody else write to the directories above it"
            )
        }
        #expect(FileManager.default.fileExists(atPath: directory("victim/kept")))
        #expect(try device(of: directory("moved")) == device(of: directory.path))
    }

    @Test func `a mount is found although a directory above was exchanged`() throws {
        let directory = try TemporaryDirectory()
        let place = try MountPoint(preparing: directory("a/b"), storage: directory("storage"))
        try place.mount(device: MountPoint.openDevice(), readOnly: false)
        try replace("a", in: directory)
        try place.unmount(lazily: false)
        #expect(try device(of: directory("moved/b")) == device(of: directory.path))
    }

    @Test func `a mount with another over it is in use, and detached with it`() throws {
        let directory = try TemporaryDirectory()
        let place = try MountPoint(preparing: directory("mount"), storage: directory("storage"))
        try place.mount(device: MountPoint.openDevice(), readOnly: false)
        #expect(mount("none", directory("mount"), "tmpfs", 0, nil) == 0)
        do {
            try place.unmount(lazily: false)
            Issue.record("the other was unmounted")
        } catch {
            guard case .system(_, _, .busy) = error else {
                Issue.record("\(error)")
                return
            }
        }
        try place.unmount(lazily: true)
        #expect(try device(of: directory("mount")) == device(of: directory.path))
        // The control: there is nothing left to be detached.
        #expect(throws: VolumeError.self) { try place.unmount(lazily: true) }
    }

    @Test func `a mount that is not permitted names what the container needs`() throws {
        let errors: [(VolumeError, String)] = [
            (
                .deviceUnavailable(.noSuchFile),
                "/dev/fuse cannot be opened (No such file or directory): start the container with "
                    + "--device /dev/fuse --cap-add SYS_ADMIN"
            ),
            (
                .mountNotPermitted(path: "/m", .operationNotPermitted),
                "mounting at /m is not permitted (Operation not permitted): start the container "
                    + "with --device /dev/fuse --cap-add SYS_ADMIN, and where AppArmor forbids it "
                    + "with --security-opt apparmor:unconfined"
            ),
        ]
        for (error, text) in errors {
            #expect(error.description == text)
            #expect(error.exitCode == 71)
        }
    }

    @Test func `without the capability mounting fails as told`() throws {
        let directory = try TemporaryDirectory()
        let output = try Subprocess.run(
            "setpriv",
            [
                "--bounding-set", "-sys_admin", "--inh-caps", "-sys_admin",
                MountedVolume.executable, directory("storage"), directory("mount"),
                directory("conf"), "key", "--create",
            ]
        )
        #expect(output.status == 71)
        #expect(output.errorText.contains("--cap-add SYS_ADMIN"), "\(output.errorText)")
    }

    @Test func `a read-only mount changes nothing and sees what a writer does`() throws {
        let writer = try MountedVolume()
        try Data("first".utf8).write(to: URL(fileURLWithPath: writer("file")))
        let reader = try MountedVolume(copyOf: writer, ["--read-only"])
        #expect(try String(contentsOfFile: reader("file"), encoding: .utf8) == "first")
        #expect(open(reader("new"), O_CREAT | O_WRONLY | O_CLOEXEC, 0o644) == -1 && errno == EROFS)
        #expect(open(reader("file"), O_WRONLY | O_CLOEXEC) == -1 && errno == EROFS)
        #expect(unlink(reader("file")) == -1 && errno == EROFS)
        #expect(mkdir(reader("d"), 0o755) == -1 && errno == EROFS)
        #expect(chmod(reader("file"), 0o600) == -1 && errno == EROFS)
        #expect(truncate(reader("file"), 0) == -1 && errno == EROFS)
        #expect(rename(reader("file"), reader("x")) == -1 && errno == EROFS)
        try Data("second, longer".utf8).write(to: URL(fileURLWithPath: writer("file")))
        usleep(1_500_000)
        #expect(try String(contentsOfFile: reader("file"), encoding: .utf8) == "second, longer")
        try reader.unmount()
        try writer.unmount()
    }

    private func expect(_ message: String, _ body: () throws -> MountPoint) {
        do {
            _ = try body()
            Issue.record("no error, expected: \(message)")
        } catch {
            #expect("\(error)" == message)
        }
    }
}
