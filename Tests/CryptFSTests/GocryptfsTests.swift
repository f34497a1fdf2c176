import Foundation
import Glibc
import TestSupport
import Testing

/// The mounted gocryptfs format: what a program may expect of it.
@Suite(.requires(.fuse, .tool("python3")))
struct GocryptfsTests {
    @Test(arguments: [
        "directories", "appending", "truncating", "renaming_files", "rename_flags",
        "open_and_removed", "symbolic_links", "ownership_and_modes", "times", "mapped_files",
        "names", "large_directory", "many_open_files", "locks", "direct_access", "writing_only",
        "hard_links", "special_files", "extended_attributes", "access_control_lists",
        "allocation", "holes_asked_for_at_once", "privileges", "what_differs_from_a_disk",
    ])
    func `a program finds what it may expect`(subject: String) throws {
        let volume = try MountedVolume(format: .gocryptfs)
        let entries = Client.number(
            "SECURE_STORE_TEST_ENTRIES",
            default: 3000,
            long: 100_000
        )
        try Client.run(
            "posix.py",
            [volume.mountPoint, subject],
            environment: [
                "ENTRIES": String(entries), "NAME_LIMIT": "255", "LINK_LIMIT": "3039",
            ]
        )
        let warnings = try volume.unmount()
        #expect(
            warnings.split(separator: "\n").allSatisfy { $0.contains("locked memory") },
            "\(warnings)"
        )
    }

    @Test func `random operations agree with a model, across remounts`() throws {
        let operations = Client.number("SECURE_STORE_TEST_OPERATIONS", default: 600)
        let volume = try MountedVolume(format: .gocryptfs)
        for (seed, size) in [(1, 600_000), (2, 5_000), (3, 5_000_000)] {
            for round in 0..<3 {
                try Client.run(
                    "fsx.py",
                    [
                        volume("file-\(seed)"), volume.directory("model-\(seed)"),
                        String(seed * 100 + round), String(operations),
                    ],
                    environment: ["SIZE": String(size), "ALLOCATES": "1"],
                    timeout: 3600
                )
                try volume.remount()
            }
        }
        try volume.unmount()
    }

    @Test(arguments: ["delete", "wal"])
    func `SQLite loses no transaction when the worker is killed`(mode: String) throws {
        let volume = try MountedVolume(format: .gocryptfs)
        for round in 0..<Client.number("SECURE_STORE_TEST_KILLS", default: 1, long: 25) {
            let database = volume("db-\(round)")
            let client = try Client.start("sqlite.py", ["endless", database, mode])
            let deadline = Date(timeIntervalSinceNow: 30)
            while client.text.split(separator: "\n").count < 25 + round * 10, Date() < deadline {
                usleep(5000)
            }
            try volume.kill()
            try client.wait()
            let last = client.text.split(separator: "\n").count - 1
            #expect(last >= 24, "\(client.errorText)")
            try volume.mount()
            try Client.run("sqlite.py", ["verify", database, String(last)])
        }
        try volume.unmount()
    }

    @Test func `a read-only mount sees what the writer changes`() throws {
        let writer = try MountedVolume(format: .gocryptfs)
        try write(String(repeating: "first ", count: 2000), to: writer("file"))
        let reader = try MountedVolume(copyOf: writer)
        #expect(try String(contentsOfFile: reader("file"), encoding: .utf8).hasPrefix("first "))
        #expect(open(reader("file"), O_WRONLY | O_CLOEXEC) == -1 && errno == EROFS)
        // Emptied and written anew, so under another number.
        try write("second", to: writer("file"))
        let deadline = Date(timeIntervalSinceNow: 30)
        var found: String?
        while found != "second", Date() < deadline {
            found = try? String(contentsOfFile: reader("file"), encoding: .utf8)
            usleep(50_000)
        }
        #expect(found == "second")
        try reader.unmount()
        try writer.unmount()
    }

    @Test func `a second writer is refused`() throws {
        let volume = try MountedVolume(format: .gocryptfs)
        let second = try MountedVolume.start([
            volume.storage, volume.directory("elsewhere"), "-", MountedVolume.key,
        ]).wait()
        #expect(second.status == 78)
        #expect(second.errorText.contains("open for writing"), "\(second.errorText)")
        try volume.unmount()
    }

    private func write(_ text: String, to path: String) throws {
        let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        #expect(Glibc.write(file, text, text.utf8.count) == text.utf8.count)
        #expect(fsync(file) == 0)
        close(file)
    }

    @Test func `several processes write and read at once`() throws {
        let volume = try MountedVolume(format: .gocryptfs)
        try Client.run("parallel.py", [volume.mountPoint, "6"])
        try volume.unmount()
    }
}

/// The same bytes as Debian's gocryptfs, both ways.
@Suite(.requires(.fuse, .tool("python3"), .tool("gocryptfs")))
struct GocryptfsInteroperabilityTests {
    private static let flags: [[String]] = [
        [], ["-xchacha"], ["-deterministic-names"], ["-plaintextnames"], ["-aessiv"],
        ["-longnamemax", "100"], ["-raw64=false"],
    ]

    @Test(arguments: flags) func `what is written here, gocryptfs reads`(
        flags: [String]
    ) throws {
        let (volume, peer) = try makeVolume(flags)
        try Client.run("tree.py", ["fill", volume.mountPoint], environment: environment)
        try volume.unmount()
        try peer.mount()
        try Client.run("tree.py", ["check", peer.mountPoint], environment: environment)
        try peer.unmount()
    }

    @Test(arguments: flags) func `what gocryptfs writes is read here`(
        flags: [String]
    ) throws {
        let (volume, peer) = try makeVolume(flags)
        try volume.unmount()
        try peer.mount()
        try Client.run("tree.py", ["fill", peer.mountPoint], environment: environment)
        try peer.unmount()
        try volume.mount()
        try Client.run("tree.py", ["check", volume.mountPoint], environment: environment)
        try volume.unmount()
    }

    @Test func `a volume made here opens with gocryptfs`() throws {
        let volume = try MountedVolume(format: .gocryptfs)
        try Client.run("tree.py", ["fill", volume.mountPoint], environment: environment)
        try volume.unmount()
        let peer = try Peer(volume)
        try peer.mount()
        try Client.run("tree.py", ["check", peer.mountPoint], environment: environment)
        try peer.unmount()
        let check = try Subprocess.run(
            "gocryptfs",
            ["-fsck", "-extpass", "echo", "-extpass", MountedVolume.key, volume.storage]
        )
        #expect(check.status == 0, "\(check.text)\(check.errorText)")
    }

    private let environment = ["FLAGS": "names,attributes"]

    /// A volume that gocryptfs made with flags, mounted here.
    private func makeVolume(_ flags: [String]) throws -> (MountedVolume, Peer) {
        let directory = try TemporaryDirectory()
        try FileManager.default.createDirectory(
            atPath: directory("storage"),
            withIntermediateDirectories: false
        )
        let made = try Subprocess.run(
            "gocryptfs",
            ["-init", "-q", "-scryptn", "10"] + flags
                + ["-extpass", "echo", "-extpass", MountedVolume.key, directory("storage")]
        )
        guard made.status == 0 else { throw MountedVolume.Failure(made.errorText) }
        let volume = try MountedVolume(format: .gocryptfs, in: directory)
        return (volume, try Peer(volume))
    }

    /// gocryptfs, over a volume's storage.
    private final class Peer {
        let mountPoint: String
        private let storage: String
        private let directory: TemporaryDirectory

        init(_ volume: MountedVolume) throws {
            directory = volume.directory
            storage = volume.storage
            mountPoint = volume.directory("peer")
            try FileManager.default.createDirectory(
                atPath: mountPoint,
                withIntermediateDirectories: false
            )
        }

        deinit { umount2(mountPoint, Int32(MNT_DETACH)) }

        func mount() throws {
            let output = try Subprocess.run(
                "gocryptfs",
                ["-q", "-extpass", "echo", "-extpass", MountedVolume.key, storage, mountPoint]
            )
            guard output.status == 0 else { throw MountedVolume.Failure(output.errorText) }
        }

        func unmount() throws {
            let output = try Subprocess.run("umount", [mountPoint])
            guard output.status == 0 else { throw MountedVolume.Failure(output.errorText) }
        }
    }
}
