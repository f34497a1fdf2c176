import Foundation
import Linux
import TestSupport
import Testing

@Suite(.requires(.executables)) struct `A configuration that gets another key` {
    private let work: Workplace

    init() throws {
        work = try Workplace()
        try work.makeVolume("storage")
        try work.directory.write("another key\n", to: "new key")
    }

    private static let configuration = "storage/gocryptfs.conf"

    private func passwd(_ options: String...) throws -> Subprocess.Output {
        try work.run(["volume", "passwd", "storage", "--new-key-file", "new key"] + options)
    }

    private func opens(_ key: String, _ options: String...) throws -> Bool {
        try work.run(["volume", "ls", "storage"] + options, key: key).status == 0
    }

    @Test(.requires(.root)) func `keeps owner and mode`() throws {
        let path = work.directory(Self.configuration)
        try #require(chmod(path, 0o640) == 0 && chown(path, 1234, 4321) == 0)
        let before = try FileStatus(path: path)
        let changed = try passwd()
        #expect(changed.status == 0, "\(changed.errorText)")
        let after = try FileStatus(path: path)
        #expect(after.identity != before.identity, "written over, not replaced")
        #expect(after.mode & 0o7777 == 0o640 && after.user == 1234 && after.group == 4321)
        #expect(try opens("another key") && !opens(Workplace.key))
    }

    @Test func `is found where a symbolic link leads to`() throws {
        let files = FileManager.default
        try files.createDirectory(
            atPath: work.directory("elsewhere"),
            withIntermediateDirectories: false
        )
        try files.moveItem(
            atPath: work.directory(Self.configuration),
            toPath: work.directory("elsewhere/real.conf")
        )
        try files.createSymbolicLink(
            atPath: work.directory("link.conf"),
            withDestinationPath: "elsewhere/real.conf"
        )
        let changed = try passwd("--config", "link.conf")
        #expect(changed.status == 0, "\(changed.errorText)")
        let target = try files.destinationOfSymbolicLink(atPath: work.directory("link.conf"))
        #expect(target == "elsewhere/real.conf")
        // What the link led to opened with the old key.
        #expect(try !opens(Workplace.key, "--config", "elsewhere/real.conf"))
        #expect(try opens("another key", "--config", "elsewhere/real.conf"))
        let left = try files.contentsOfDirectory(atPath: work.directory("elsewhere"))
        #expect(left == ["real.conf"])
    }

    @Test(.requires(.root, .tool("unshare")))
    func `and is mounted as a single file stays as it is, which is told`() throws {
        try work.directory.write([], to: "mounted.conf")
        let before = try work.directory.read(Self.configuration)
        let script = """
            mount --bind storage/gocryptfs.conf mounted.conf
            "$0" volume passwd storage --config mounted.conf --new-key-file 'new key'
            """
        let output = try Subprocess.run(
            "unshare",
            ["--mount", "sh", "-ec", script, Executables.secureStore],
            environment: [
                "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "STORE_PASSWORD": Workplace.key,
            ],
            directory: work.directory.path
        )
        #expect(output.status == 78)
        #expect(
            output.errorText.contains("mounted.conf is mounted as a single file, and so cannot")
        )
        #expect(try work.directory.read(Self.configuration) == before)
        #expect(try opens(Workplace.key))
        let left = try FileManager.default.contentsOfDirectory(atPath: work.directory.path)
        #expect(left.sorted() == ["mounted.conf", "new key", "storage"])
    }
}

@Suite(.requires(.executables, .fuse)) struct `A volume's info` {
    @Test func `names who writes to it at present, and who did not end as one should`() throws {
        let work = try Workplace()
        try work.makeVolume("storage")
        try FileManager.default.createDirectory(
            atPath: work.directory("mount"),
            withIntermediateDirectories: false
        )
        func writer() throws -> String? {
            try work.object(work("volume", "info", "storage", "--json"))["writer"] as? String
        }
        #expect(try writer() == "nobody")
        let mount = try work.start("volume", "mount", "storage", "mount")
        defer {
            mount.signal(SIGKILL)
            _ = try? mount.wait()
            _ = try? Subprocess.run("umount", ["-l", work.directory("mount")])
        }
        var name = [CChar](repeating: 0, count: 65)
        gethostname(&name, name.count - 1)
        let host = String(
            decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) },
            as: UTF8.self
        )
        let holder = "process \(mount.pid) on \(host) since "
        let isHeld = waitUntil(timeout: 30) { (try? writer())?.hasPrefix(holder) ?? false }
        #expect(isHeld, "not \(holder): \(mount.errorText)")
        let shown = try work("volume", "info", "storage").text
        #expect(shown.contains("writer           \(holder)"), "\(shown)")

        mount.signal(SIGKILL)
        _ = try mount.wait()
        let crashed = try #require(try writer())
        #expect(crashed.hasPrefix("nobody; \(holder)") && crashed.hasSuffix(" did not unmount"))
    }
}
