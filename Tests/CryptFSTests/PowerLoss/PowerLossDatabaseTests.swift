import Foundation
import TestSupport
import Testing

/// SQLite's transactions over a loss of power.
@Suite(.requires(.fuse, .tool("python3")))
struct PowerLossDatabaseTests {
    /// What there is to recover from, and what has to come back.
    private struct State: Hashable {
        let files: [String: ImageReader.File]
        let last: Int
    }

    /// How SQLite is used.
    struct Use {
        let mode: String

        /// Whether it relies on writes to leave what is beside them as it is.
        let powerSafeOverwrite: Int
        let keepsJournal: Bool
    }

    /// With `psow=0`, or as it is by default with a journal below it; the third is the negative control.
    @Test(
        arguments: [("delete", 0, false), ("wal", 0, false), ("wal", 1, false)]
            .map(Use.init) + [("delete", 1, true), ("wal", 1, true)].map(Use.init)
    )
    func `SQLite keeps what it committed, once blocks that are errors are written over`(
        use: Use
    ) throws {
        var committed: [[Int]] = []
        let record = try RecordedUse(of: .gocryptfs, keepsJournal: use.keepsJournal) { program in
            let output = try Client.run(
                "sqlite.py",
                ["record", program.volume("db"), use.mode, program.storage.log],
                environment: ["PSOW": "\(use.powerSafeOverwrite)"]
            )
            committed = output.text.split(separator: "\n").map { line in
                line.split(separator: " ").compactMap { Int($0) }
            }
        }

        let directory = try TemporaryDirectory(in: "/dev/shm")
        var list = ""
        var (sound, damaged) = (0, 0)
        var seen: Set<State> = []
        let count = LongTests.areRun ? 8 : 1
        let (states, _) = try record.log.visit(states: count) { image, position in
            let files = try record.tree(image).files.filter { !$0.key.hasSuffix("-shm") }
            let last = committed.last { $0[1] <= position }?[0] ?? -1
            guard seen.insert(State(files: files, last: last)).inserted else { return [] }
            let path = directory("\(sound + damaged)")
            try FileManager.default.createDirectory(
                atPath: path,
                withIntermediateDirectories: false
            )
            for (name, file) in files {
                // What `dd` does to a block that cannot be read.
                let content = file.blocks.enumerated().flatMap { index, block in
                    block
                        ?? [UInt8](repeating: 0, count: min(4096, file.count - index * 4096))
                }
                try Data(content).write(to: URL(fileURLWithPath: path + name))
            }
            // Before the table was there, nothing can be asked.
            if last >= 0 { list += "\(last) \(path)/db\n" }
            if last >= 0, files.values.contains(where: { $0.blocks.contains(nil) }) {
                damaged += 1
            } else {
                sound += 1
            }
            return []
        }
        let verified = try Client.run(
            "sqlite.py",
            ["verify-all", directory.write(list, to: "list")]
        )
        #expect(
            verified.text.isEmpty == (use.powerSafeOverwrite == 0 || use.keepsJournal),
            "\(states) states: \(verified.text.prefix(2000))"
        )
        if use.keepsJournal { #expect(damaged == 0) }
        #expect(sound > 5 && committed.count == 5)
    }
}
