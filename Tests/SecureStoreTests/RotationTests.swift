import Foundation
import TestSupport
import Testing

/// A key's whole way from one generation to the next, with the built executables.
@Suite(.requires(.root, .fuse, .executables), .serialized) struct `A key that is rotated` {
    private let directory: TemporaryDirectory
    private let server: TestServer

    init() throws {
        directory = try TemporaryDirectory()
        try TestServer.prepare(directory)
        try directory.write("root passphrase\n", to: "root")
        server = try Self.server(directory, first: "a first password")
    }

    private static func server(
        _ directory: TemporaryDirectory,
        first: String
    ) throws -> TestServer {
        for arguments in [
            ["operator", "init", "--root-key-file", directory("root")],
            [
                "key", "new", "default", "--from", try directory.write("\(first)\n", to: "1.key"),
                "--root-key-file", directory("root"),
            ],
            ["grant", "add", "default", "--device", "kiosk"],
        ] {
            try TestServer.succeed(directory, arguments)
        }
        return try TestServer(
            ["--root-key-file", directory("root")],
            environment: ["STORE_PASSWORD": ""],
            in: directory
        )
    }

    /// Starts the device with the volume and runs a command.
    private func start(
        _ format: String,
        _ command: String,
        _ more: [String] = [],
        environment: [String: String] = [:]
    ) throws -> Subprocess.Output {
        try Subprocess.run(
            Executables.secureInit,
            [
                "--key-source", server.url, "--cert", directory("kiosk/cert.pem"), "--key",
                directory("kiosk/key.pem"), "--ca", directory("kiosk/ca.pem"), "--key-timeout",
                "20s", "--format", format, "--storage", directory("storage"), "--mount",
                directory("view"), "--config", directory("volume.conf"),
            ] + more + ["--", "sh", "-c", command],
            environment: ["PATH": "/usr/bin:/bin"].merging(environment) { $1 },
            directory: directory.path
        )
    }

    /// Whether a key opens the volume's configuration.
    private func opens(_ key: String) throws -> Bool {
        try Subprocess.run(
            Executables.secureStore,
            [
                "volume", "ls", directory("storage"), "--config", directory("volume.conf"),
                "--key-file", directory(key),
            ]
        ).status == 0
    }

    private func rotate(to name: String) throws {
        try #require(
            try server.administer(
                "key",
                "rotate",
                "default",
                "--root-key-file",
                directory("root"),
                "--out",
                directory(name)
            ).status == 0
        )
    }

    private func retire() throws -> Subprocess.Output {
        try server.administer("key", "retire", "default", "1")
    }

    /// The last release: the generations that went out with it.
    private func released() throws -> [String]? {
        try server.audit().last { $0["result"] as? String == "released" }?["generations"]
            as? [String]
    }

    @Test(arguments: ["gocryptfs", "rclone"])
    func `opens its volumes still, which are under the newest from then on`(
        format: String
    ) throws {
        let made = try start(format, "echo kept > view/file")
        try #require(made.status == 0, "\(made.errorText)")
        let before = try directory.read("volume.conf")
        try rotate(to: "2.key")

        // Read-only, nothing changes; the control for what comes next.
        let looked = try start(format, "cat view/file", ["--read-only"])
        #expect(looked.text == "kept\n", "\(looked.errorText)")
        #expect(looked.errorText.contains("the volume stays under its older key"))
        #expect(try directory.read("volume.conf") == before)
        #expect(try opens("1.key") && !opens("2.key"))
        let early = try retire()
        #expect(early.status == 64)
        #expect(early.errorText.contains("kiosk got it at"))

        let after = try start(format, "cat view/file")
        #expect(after.text == "kept\n", "\(after.errorText)")
        #expect(after.errorText.contains("under the newest key now"))
        #expect(try released() == ["default/1", "default/2"])
        #expect(try !opens("1.key") && opens("2.key"))
        let names = try FileManager.default.contentsOfDirectory(atPath: directory.path)
        #expect(names.filter { $0.contains("conf") || $0.contains("draft") } == ["volume.conf"])
        #expect(try retire().status == 64, "it needed the older one a moment ago")

        #expect(try start(format, "cat view/file").text == "kept\n")
        #expect(try released() == ["default/2"])
        let retired = try retire()
        #expect(retired.status == 0, "\(retired.errorText)")
        #expect(try start(format, "cat view/file").text == "kept\n")
    }

    @Test func `does not open a volume whose generation was retired`() throws {
        try #require(try start("gocryptfs", "echo kept > view/file").status == 0)
        try rotate(to: "2.key")
        let used = try server.administer([
            "key", "retire", "default", "1", "--unused-since", "2026-01-01",
        ])
        #expect(used.status == 64)
        let retired = try server.administer([
            "key", "retire", "default", "1", "--unused-since", "2100-01-01",
        ])
        #expect(retired.status == 0)
        let late = try start("gocryptfs", "cat view/file")
        #expect(late.status == 65)
        #expect(late.text.isEmpty)
        #expect(try opens("1.key"))
    }

    @Test func `has variables of the original form decrypt, until env rotate makes them anew`()
        throws
    {
        let value = try Subprocess.run(
            Executables.secureStore,
            ["env", "encrypt", "X", "--key-file", directory("1.key")],
            standardInput: Array("hello".utf8)
        ).text
        func start(_ line: String) throws -> Subprocess.Output {
            let pair = line.split(separator: "=", maxSplits: 1).map(String.init)
            return try self.start(
                "gocryptfs",
                "echo \"$X\"",
                ["--env-only"],
                environment: [pair[0]: pair[1].trimmingCharacters(in: .newlines)]
            )
        }
        try #require(try start(value).text == "hello\n")
        try rotate(to: "2.key")
        let second = try Subprocess.run(
            Executables.secureStore,
            ["env", "encrypt", "Y", "--key-file", directory("2.key")],
            standardInput: Array("there".utf8)
        ).text
        let still = try start(value)
        #expect(still.text == "hello\n", "\(still.errorText)")
        #expect(try released() == ["default/1", "default/2"])

        let lines = "# a comment\nPLAIN=1\n\(value)\(second)"
        let rotated = try Subprocess.run(
            Executables.secureStore,
            [
                "env", "rotate", "--state", directory("state"), "--root-key-file",
                directory("root"),
            ],
            standardInput: Array(lines.utf8)
        )
        try #require(rotated.status == 0, "\(rotated.errorText)")
        #expect(rotated.errorText.contains("1 encrypted again"))
        let new = rotated.text.split(separator: "\n").map { "\($0)\n" }
        #expect([new[0], new[1], new[3]] == ["# a comment\n", "PLAIN=1\n", second])
        #expect(new[2].hasPrefix("ENCRYPTED_X=") && new[2] != value)
        #expect(try start(new[2]).text == "hello\n")
        #expect(try released() == ["default/2"])
        #expect(try retire().status == 0)
        #expect(try start(new[2]).text == "hello\n")
        #expect(try start(value).status == 65)

        // With files, and without the right one.
        let byHand = try Subprocess.run(
            Executables.secureStore,
            [
                "env", "rotate", "--new-key-file", directory("2.key"), "--old-key-file",
                directory("1.key"),
            ],
            standardInput: Array(value.utf8)
        )
        #expect(byHand.text.hasPrefix("ENCRYPTED_X=") && byHand.text.hasSuffix("\n"))
        let wrong = try Subprocess.run(
            Executables.secureStore,
            [
                "env", "rotate", "--new-key-file", directory("2.key"), "--old-key-file",
                directory("2.key"),
            ],
            standardInput: Array(lines.utf8)
        )
        #expect(wrong.status == 65)
        #expect(wrong.text.isEmpty)
        #expect(wrong.errorText.contains("ENCRYPTED_X"))
    }
}
