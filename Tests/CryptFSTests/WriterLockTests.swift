import CryptFS
import Foundation
import TestSupport
import Testing

/// One writer a storage, by real processes and the real kernel.
@Suite(.requires(.fuse)) struct `The writer's lock` {
    private static let lock = "gocryptfs.longname.secure-store-writer.name"

    @Test(arguments: MountedVolume.Format.allCases)
    func `names its holder, and goes with it, cleanly or not`(
        format: MountedVolume.Format
    ) throws {
        let volume = try MountedVolume(format: format)
        let pid = try #require(volume.worker?.pid)
        let text = try text(volume)
        #expect(text.hasPrefix("secure-store writer 1 "))
        #expect(text.contains(" \(pid) 20"))
        #expect(try mode(volume) == 0o600)
        let second = try refused(volume)
        #expect(second.status == 78)
        #expect(
            second.errorText.contains(
                "process \(pid) on \(ProcessInfo.processInfo.hostName) since 20"
            )
        )
        #expect(second.errorText.contains("has \(volume.storage) open for writing: stop it, or"))

        // The kernel frees it; the file stays, and nobody is kept off by it.
        try volume.kill()
        guard case .abandoned(let last?) = try WriterLock.holder(of: volume.storage) else {
            Issue.record("a crash is not told from a clean end")
            return
        }
        #expect(last.process == pid)
        try volume.mount()
        guard case .held(let now?) = try WriterLock.holder(of: volume.storage) else {
            Issue.record("the lock is not held")
            return
        }
        #expect(now.process == volume.worker?.pid && now.process != pid)

        // What is in the view is the volume's alone.
        let entries = try FileManager.default.contentsOfDirectory(atPath: volume.mountPoint)
        #expect(entries.isEmpty)
        try volume.unmount()
        #expect(!FileManager.default.fileExists(atPath: path(volume)))
        guard case .none = try WriterLock.holder(of: volume.storage) else {
            Issue.record("a clean end leaves something")
            return
        }
    }

    @Test func `is the kernel's, whatever the file says`() throws {
        let volume = try MountedVolume()
        for text in ["", "no record", "secure-store writer 1 a\u{1b}[2J b 7 c\n"] {
            // Who can write to the storage can write what is shown; not into a terminal.
            try Data(text.utf8).write(
                to: URL(fileURLWithPath: path(volume))
            )
            let second = try refused(volume)
            #expect(second.errorText.hasPrefix("another process has \(volume.storage) open for"))
        }
        try volume.unmount()
        // Left by a crash of another machine: nobody has it locked.
        try Data("secure-store writer 1 far-away 0-0 7 2020-01-01T00:00:00.000Z\n".utf8)
            .write(to: URL(fileURLWithPath: path(volume)))
        guard case .abandoned(let last?) = try WriterLock.holder(of: volume.storage) else {
            Issue.record("not recognised")
            return
        }
        #expect(
            last.description
                == "process 7 on far-away (another machine, or boot) since 2020-01-01T00:00:00.000Z"
        )
        try volume.mount()
        try volume.unmount()
    }

    @Test(arguments: MountedVolume.Format.allCases)
    func `readers take none, and see what the writer changes within its second`(
        format: MountedVolume.Format
    ) throws {
        let volume = try MountedVolume(format: format)
        try Data("first".utf8).write(to: URL(fileURLWithPath: volume("file")))
        let readers = try (0..<2).map { _ in try MountedVolume(copyOf: volume) }
        for reader in readers {
            #expect(try String(contentsOfFile: reader("file"), encoding: .utf8) == "first")
        }
        let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: volume("file")))
        try handle.write(contentsOf: Data("second, and longer".utf8))
        try handle.synchronize()
        try handle.close()
        try Data("new".utf8).write(to: URL(fileURLWithPath: volume("another")))
        usleep(1_100_000)
        for reader in readers {
            let text = try String(contentsOfFile: reader("file"), encoding: .utf8)
            #expect(text == "second, and longer")
            #expect(try String(contentsOfFile: reader("another"), encoding: .utf8) == "new")
            #expect(throws: (any Error).self) {
                try Data().write(to: URL(fileURLWithPath: reader("no")))
            }
            try reader.unmount()
        }
        #expect(FileManager.default.fileExists(atPath: path(volume)))
        try volume.unmount()
    }

    @Test(.requires(.tool("gocryptfs"), .tool("rclone")))
    func `left by a crash is no damage to anybody`() throws {
        let volume = try MountedVolume(format: .gocryptfs)
        try Data("content".utf8).write(to: URL(fileURLWithPath: volume("file")))
        try volume.kill()
        #expect(FileManager.default.fileExists(atPath: path(volume)))
        let check = try Subprocess.run(
            "gocryptfs",
            ["-fsck", "-extpass", "echo", "-extpass", volume.key, volume.storage],
            timeout: 60
        )
        #expect(check.status == 0, "\(check.errorText)")
        #expect(!(check.text + check.errorText).contains("invalid"))
        #expect(!(check.text + check.errorText).contains("orrupt"))

        let other = try MountedVolume(format: .rclone)
        try Data("content".utf8).write(to: URL(fileURLWithPath: other("file")))
        try other.kill()
        var environment = ProcessInfo.processInfo.environment
        environment["RCLONE_CONFIG_PASS"] = other.key
        let listing = try Subprocess.run(
            "rclone",
            ["--config", other.configuration, "lsf", "encrypted_storage:"],
            environment: environment,
            directory: other.directory.path,
            timeout: 60
        )
        #expect(listing.status == 0 && listing.text == "file\n", "\(listing.errorText)")
        #expect(!listing.errorText.contains("undecrypt"), "\(listing.errorText)")
    }

    private func path(_ volume: MountedVolume) -> String { volume.storage + "/" + Self.lock }

    private func text(_ volume: MountedVolume) throws -> String {
        try String(contentsOfFile: path(volume), encoding: .utf8)
    }

    private func mode(_ volume: MountedVolume) throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: path(volume))[.posixPermissions] as? Int
    }

    private func refused(_ volume: MountedVolume) throws -> Subprocess.Output {
        try MountedVolume.start([
            volume.storage, volume.directory("second"), volume.configuration, volume.key,
        ]).wait(timeout: 20)
    }
}
