import Foundation
import TestSupport
import Testing

@Suite(.requires(.root, .fuse, .executables)) struct `The phase in a line` {
    /// A line of `--log-format json`.
    private struct Line: Decodable {
        let time: String
        let level: String
        let message: String
        let phase: String
    }

    @Test func `is a field of every line of JSON, in the order of a life`() throws {
        let directory = try Sample.keyDirectory()
        let output = try InitProcess.run(
            [
                "--key-source", "file:\(directory("key"))", "--log-format", "json", "sh", "-c",
                "sleep 60 & echo up",
            ],
            environment: ["ENCRYPTED_TESTVAR": Sample.value],
            directory: directory.path
        )
        #expect(output.status == 0)
        let lines = try output.errorText.split(separator: "\n").map {
            try JSONDecoder().decode(Line.self, from: Data($0.utf8))
        }
        let wanted = [
            "key obtained": "waiting-for-key", "variables decrypted": "decrypting",
            "volume mounted": "opening-volume", "command started": "running",
            "command ended": "running", "ending what is left": "stopping",
            "volume unmounted": "unmounting",
        ]
        for (message, phase) in wanted {
            #expect(lines.first { $0.message == message }?.phase == phase, "\(message)")
        }
        let order = [
            "starting", "waiting-for-key", "decrypting", "opening-volume", "starting-command",
            "running", "stopping", "unmounting",
        ]
        let places = try lines.map { try #require(order.firstIndex(of: $0.phase)) }
        #expect(places == places.sorted())
    }

    @Test(arguments: [
        (["--no-such-option"], "starting"), (["--key-source", "env:NONE"], "waiting-for-key"),
        (["--env-only", "--", "/nonexistent"], "starting-command"),
    ])
    func `is where it failed`(_ arguments: [String], _ phase: String) throws {
        let output = try InitProcess.run(arguments + ["true"])
        #expect(output.status != 0)
        #expect(output.errorText.contains("phase=\(phase)"), "\(output.errorText)")
    }
}
