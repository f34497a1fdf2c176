import Foundation
import TestSupport
import Testing

/// The field's own tests, and real applications, on a mounted gocryptfs volume: seconds each in
/// continuous integration, as long as they are meant to run with `make test-long`.
@Suite(.requires(.fuse))
struct EnduranceTests {
    @Test(.requires(.tool("python3")))
    func `random operations agree with a model, on several files at once`() throws {
        let goal = Client.isLong ? 1_000_000 : 3_000
        let seconds = Client.isLong ? 600.0 : 0
        let count = Client.isLong ? 10_000 : 500
        let volume = try MountedVolume(format: .gocryptfs)
        let begin = Date()
        var rounds = 0
        var operations = 0
        while operations < goal || Date().timeIntervalSince(begin) < seconds {
            let sizes = [600_000, 5_000, 2_000_000]
            let clients = try sizes.enumerated().map { index, size in
                try Client.start(
                    "fsx.py",
                    [
                        volume("file-\(size)"), volume.directory("model-\(size)"),
                        String(1000 + rounds * sizes.count + index), String(count),
                    ],
                    environment: ["SIZE": String(size), "ALLOCATES": "1"]
                )
            }
            for client in clients {
                let output = try client.wait(timeout: 1200)
                try #require(output.status == 0, "\(output.errorText)")
                operations += count
            }
            rounds += 1
            try volume.remount()
        }
        tell("\(operations) random operations, \(rounds) remounts", since: begin)
        try volume.unmount()
    }

    @Test(.requires(.tool("fio"))) func `fio reads what it wrote`() throws {
        try onVolume { volume in
            ["fio.sh", volume.mountPoint, Client.isLong ? "512" : "4"]
        }
    }

    @Test(.requires(.tool("stress-ng"))) func `stress-ng finds nothing wrong`() throws {
        try onVolume { volume in
            ["stress.sh", volume.mountPoint] + (Client.isLong ? ["20", "long"] : ["6", "short"])
        }
    }

    @Test(.requires(.tool("git"))) func `a clone is whole, and so is what becomes of it`() throws {
        try onVolume { volume in
            let source = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            return [
                "git.sh", volume.mountPoint, volume.directory("git"),
                // Without a repository of its own.
                Client.isLong ? source.appendingPathComponent("../../Sources").path : source.path,
                Client.isLong ? "200" : "5",
            ]
        }
    }

    @Test(.requires(.tool("pgbench")))
    func `PostgreSQL keeps its pages and its promises`() throws {
        try onVolume { volume in
            [
                "postgres.sh", "load", volume.mountPoint, volume.directory("postgres"),
                Client.isLong ? "300" : "3",
            ]
        }
    }

    /// Runs a script of `Clients` on a new volume, which is checked afterwards.
    private func onVolume(_ command: (MountedVolume) -> [String]) throws {
        let volume = try MountedVolume(format: .gocryptfs)
        // Some of what is done is done by others than root.
        for path in [volume.directory.path, volume.mountPoint] {
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
        }
        let arguments = command(volume)
        let begin = Date()
        let output = try Client.start(shell: arguments).wait(timeout: 3600)
        try #require(output.status == 0, "\(arguments): \(output.errorText)\(output.text)")
        tell("\(arguments[0]) \(output.text)", since: begin)
        let warnings = try volume.unmount()
        #expect(
            warnings.split(separator: "\n").allSatisfy { $0.contains("locked memory") },
            "\(warnings)"
        )
    }

    private func tell(_ text: String, since begin: Date) {
        let seconds = Int(Date().timeIntervalSince(begin))
        print(text.split(separator: "\n").joined(separator: "; ") + ", \(seconds) s")
    }
}
