import Foundation
import Linux
import TestSupport
import Testing

@Suite(.serialized, .requires(.executables)) struct `A migration that is killed` {
    private let work: Workplace
    private let count = 400

    init() throws {
        work = try Workplace()
        for index in 0..<count {
            let size = index % 40 == 0 ? 3_000_000 : 1_000 + index * 17
            let byte = UInt8(truncatingIfNeeded: index)
            try work.directory.write(
                [UInt8](repeating: byte, count: size),
                to: "plain/\(index % 7)/file \(index)"
            )
        }
        for index in 0..<20 {
            try FileManager.default.linkItem(
                atPath: work.directory("plain/\(index % 7)/file \(index)"),
                toPath: work.directory("plain/0/name \(index)")
            )
        }
        try work.directory.write([], to: "plain/1/sparse")
        let sparse = try FileHandle(forWritingTo: work.url("plain/1/sparse"))
        try sparse.truncate(atOffset: 32 << 20)
        try sparse.close()
        try FileManager.default.createSymbolicLink(
            atPath: work.directory("plain/link"),
            withDestinationPath: "0/file 0"
        )
    }

    /// How many files a volume's storage holds, drafts and what belongs to directories aside.
    private func stored(_ storage: String) throws -> Int {
        try Subprocess.run(
            "find",
            [
                work.directory(storage), "-type", "f", "!", "-name", "gocryptfs.*", "!", "-name",
                ".secure-store-*", "!", "-name", "*.rclonelink",
            ]
        ).text.split(separator: "\n").count
    }

    private func migrate(to format: String) throws -> Subprocess {
        try work.start(
            "volume",
            "migrate",
            "old",
            "new",
            "--config",
            "old.conf",
            "--target-config",
            "new.conf",
            "--format",
            format,
            "--json"
        )
    }

    @Test(arguments: [
        ("rclone", "gocryptfs"), ("gocryptfs", "rclone"), ("gocryptfs", "gocryptfs"),
    ])
    func `at any moment goes on, loses nothing, and never touches its source`(
        from: String,
        to: String
    ) throws {
        let made = try work("volume", "create", "old", "--format", from, "--config", "old.conf")
        try #require(made.status == 0, "\(made.errorText)")
        let filled = try work("volume", "encrypt", "plain", "old", "--config", "old.conf")
        try #require(filled.status == 0, "\(filled.errorText)")
        let before = try work.digests("old")

        var middles = 0
        for threshold in [1, count / 4, count / 2] {
            let run = try migrate(to: to)
            let deadline = ContinuousClock.now + .seconds(30)
            while try stored("new") < threshold, ContinuousClock.now < deadline { usleep(2_000) }
            run.signal(SIGKILL)
            _ = try run.wait()
            let reached = try stored("new")
            if reached < count { middles += 1 }
            #expect(try work.digests("old") == before)
            // What is there by now is whole.
            let check = try work("volume", "check", "new", "--config", "new.conf")
            #expect(check.status == 0, "\(reached) files: \(check.text)\(check.errorText)")
        }
        #expect(middles > 0, "no kill came before the end: this shows nothing")

        let last = try migrate(to: to).wait()
        #expect(last.status == 0, "\(last.errorText)")
        let report = try work.object(last)
        #expect((report["unchanged"] as? Int ?? 0) >= count / 2)
        #expect(try work.digests("old") == before)
        let left = try Subprocess.run(
            "find",
            [work.directory("new"), "-name", ".secure-store-*"]
        )
        #expect(left.text.isEmpty)
        let decrypted = try work("volume", "decrypt", "new", "again", "--config", "new.conf")
        #expect(decrypted.status == 0, "\(decrypted.errorText)")
        #expect(try work.isSame("plain", "again"))
        guard from == to else { return }
        for (path, names) in [("0/name 0", 2), ("2/file 9", 2), ("0/file 21", 1)] {
            #expect(
                try FileStatus(path: work.directory("again/\(path)")).linkCount == UInt64(names)
            )
        }
        #expect(try FileStatus(path: work.directory("again/1/sparse")).blocks < 64)
    }
}
