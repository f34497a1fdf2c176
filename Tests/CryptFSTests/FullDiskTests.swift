import Foundation
import TestSupport
import Testing

@Suite(.requires(.fuse))
struct FullDiskTests {
    @Test func `a rewriting that does not fit fails, and the old content stays`() throws {
        let disk = try SmallDisk(megabytes: 16)
        let volume = try MountedVolume(storage: disk("storage"))
        let path = volume("file")
        let old = [UInt8](repeating: 1, count: 9 << 20)
        try Data(old).write(to: URL(fileURLWithPath: path))

        let file = open(path, O_RDWR | O_CLOEXEC)
        var changed = old
        changed[5 << 20] = 2
        #expect(pwrite(file, [2], 1, 5 << 20) == 1)
        #expect(fsync(file) == -1 && errno == ENOSPC)
        #expect(try volume.drafts().isEmpty)
        // The handle is as good as before, and so is what it shows.
        var byte: UInt8 = 0
        #expect(pread(file, &byte, 1, 5 << 20) == 1 && byte == 2)
        #expect(pwrite(file, [3], 1, 6 << 20) == 1)
        changed[6 << 20] = 3
        #expect(fsync(file) == -1 && errno == ENOSPC)

        // The stored file is still the old one, as another mount of the same storage shows.
        let other = try MountedVolume(copyOf: volume)
        #expect(try Data(contentsOf: URL(fileURLWithPath: other("file"))) == Data(old))
        try other.unmount()

        // Room again: nothing is lost.
        try disk.grow(megabytes: 40)
        #expect(fsync(file) == 0)
        close(file)
        try volume.remount()
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == Data(changed))
        try volume.unmount()
    }

    @Test func `a new file that does not fit fails and leaves no draft`() throws {
        let disk = try SmallDisk(megabytes: 8)
        let volume = try MountedVolume(storage: disk("storage"))
        let file = open(volume("file"), O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        let block = [UInt8](repeating: 5, count: 1 << 20)
        var failed = false
        for index in 0..<20 {
            if pwrite(file, block, block.count, off_t(index) << 20) != block.count { failed = true }
        }
        if fsync(file) == -1 { failed = true }
        #expect(failed)
        close(file)
        #expect(unlink(volume("file")) == 0)
        // The kernel does not wait for the closing of a file: the room comes a moment later.
        let small = URL(fileURLWithPath: volume("small"))
        let deadline = Date(timeIntervalSinceNow: 20)
        while (try? Data(repeating: 6, count: 2 << 20).write(to: small)) == nil, Date() < deadline {
            usleep(20_000)
        }
        try volume.remount()
        #expect(try volume.drafts().isEmpty)
        #expect(
            try Data(contentsOf: URL(fileURLWithPath: volume("small")))
                == Data(repeating: 6, count: 2 << 20)
        )
        try volume.unmount()
    }

    @Test func `a hole larger than the disk is refused at once`() throws {
        let disk = try SmallDisk(megabytes: 8)
        let volume = try MountedVolume(storage: disk("storage"))
        let file = open(volume("file"), O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        #expect(ftruncate(file, 1 << 40) == 0)
        let start = Date()
        #expect(fsync(file) == -1 && errno == ENOSPC)
        #expect(Date().timeIntervalSince(start) < 5)
        #expect(ftruncate(file, 10) == 0)
        #expect(fsync(file) == 0)
        close(file)
        try volume.unmount()
    }
}

/// A file system of its own, so small that it can be filled.
final class SmallDisk {
    private let directory: TemporaryDirectory

    init(megabytes: Int) throws {
        directory = try TemporaryDirectory()
        try run("mount", ["-t", "tmpfs", "-o", "size=\(megabytes)m", "tmpfs", directory.path])
    }

    deinit {
        umount2(directory.path, Int32(MNT_DETACH))
    }

    func callAsFunction(_ name: String) -> String { directory(name) }

    func grow(megabytes: Int) throws {
        try run("mount", ["-o", "remount,size=\(megabytes)m", directory.path])
    }

    private func run(_ program: String, _ arguments: [String]) throws {
        let output = try Subprocess.run(program, arguments)
        guard output.status == 0 else { throw MountedVolume.Failure(output.errorText) }
    }
}
