import Foundation
import TestSupport
import Testing

@Suite(.requires(.root, .executables)) struct `A file of variables` {
    let directory: TemporaryDirectory

    init() throws {
        directory = try Sample.keyDirectory()
    }

    /// Runs `env -0` with files of these contents, in order.
    private func run(
        _ contents: [[UInt8]],
        options: [String] = [],
        environment: [String: String] = [:]
    ) throws -> Subprocess.Output {
        var files: [String] = []
        for (index, contents) in contents.enumerated() {
            files += ["--env-file", try directory.write(contents, to: "\(index).env")]
        }
        return try InitProcess.run(
            ["--env-only", "--key-source", "file:\(directory("key"))"] + options + files
                + ["--", "env", "-0"],
            environment: environment
        )
    }

    /// The entries that the command got, but `PATH`.
    private func entries(
        _ contents: String...,
        options: [String] = [],
        environment: [String: String] = [:]
    ) throws -> [String] {
        let output = try run(
            contents.map { Array($0.utf8) },
            options: options,
            environment: environment
        )
        #expect(output.status == 0, "\(output.errorText)")
        return output.text.split(separator: "\0").map(String.init)
            .filter { !$0.hasPrefix("PATH=") }
    }

    @Test(
        arguments: [
            ("", []),
            ("A=1", ["A=1"]),
            ("A=1\nB=2\n", ["A=1", "B=2"]),
            ("\n\n  \n#A=1\n \t# B=2\nC=3#4\n", ["C=3#4"]),
            ("A=1\r\nB=\r\n\r\n", ["A=1", "B="]),
            ("\u{feff}A=1\n", ["A=1"]),
            ("  A=1\n\tB= 2 \n", ["A=1", "B= 2 "]),
            (
                "A=\"1\"\nB='2'\nC=$A\nD=\\\nE=`id`\n",
                ["A=\"1\"", "B='2'", "C=$A", "D=\\", "E=`id`"]
            ),
            ("A=1=2=\nb.c-d=x\n", ["A=1=2=", "b.c-d=x"]),
            ("A=1\nB=2\nA=3\n", ["B=2", "A=3"]),
            ("A=x\rB=y\n", ["A=x\rB=y"]),
        ] as [(String, [String])]
    )
    func `is read line by line, as it stands`(contents: String, wanted: [String]) throws {
        #expect(try entries(contents) == wanted)
    }

    @Test func `may hold any byte but NUL`() throws {
        let value = (1...255).map(UInt8.init).filter { $0 != 10 }
        let output = try run([Array("A=".utf8) + value], options: ["--clear-env"])
        #expect(output.standardOutput == Array("A=".utf8) + value + [0])
    }

    @Test(
        arguments: [
            ("A=1\nno value here\n", "line 2: there is no '='"),
            ("A=1\n\n=sentinel-5a\n", "line 3: there is no name"),
            ("A B=sentinel-5a\n", "line 1: there is white space before the '='"),
            ("export A=sentinel-5a\n", "line 1: there is white space"),
            ("A=sentinel\0-5a\n", "line 1: there is a NUL byte"),
            ("SECURE_INIT_MOUNT=sentinel-5a\n", "line 1: SECURE_INIT_ variables are read before"),
        ]
    )
    func `with a line that is none refuses the start with its number, not its text`(
        contents: String,
        reason: String
    ) throws {
        let output = try run([Array(contents.utf8)])
        #expect(output.status == 78)
        #expect(output.text.isEmpty)
        #expect(output.errorText.contains("--env-file \(directory("0.env")), \(reason)"))
        #expect(!output.errorText.contains("sentinel"))
        #expect(!output.errorText.contains("no value here"))
    }

    @Test func `is a regular file of a megabyte at most`() throws {
        mkfifo(directory("fifo"), 0o600)
        for (path, reason) in [
            (directory("none"), "cannot be read: No such file or directory"),
            (directory.path, "is a directory, not a regular file"),
            // Nobody ever writes to the first, and the others never end.
            (directory("fifo"), "is a pipe, not a regular file"),
            ("/dev/zero", "is a device, not a regular file"),
            ("/dev/stdin", "not a regular file"),
        ] {
            let output = try Subprocess.run(
                "sh",
                [
                    "-c", "yes | \"$0\" --env-only --env-file \"$1\" -- echo started",
                    Executables.secureInit, path,
                ],
                timeout: 30
            )
            #expect(output.status == 78)
            #expect(output.text.isEmpty)
            #expect(
                output.errorText.contains("--env-file \(path) \(reason)") || path == "/dev/stdin"
            )
            #expect(output.errorText.contains(reason))
        }
        let full = "#" + String(repeating: "x", count: (1 << 20) - 6) + "\nA=1\n"
        #expect(full.utf8.count == 1 << 20)
        #expect(try entries(full) == ["A=1"])
        let larger = try run([Array((full + "#").utf8)])
        #expect(larger.status == 78)
        #expect(larger.errorText.contains("has more than 1 MiB"))
    }

    @Test func `of very many lines is read all the same`() throws {
        // Whatever takes each line's length of all the others would take hours.
        let lines = (0..<80_000).map { "A\($0 % 1000)=\($0)\n" }.joined()
        #expect(try entries(lines).count == 1000)
    }

    @Test func `may be encrypted in part`() throws {
        let contents = "PLAIN=1\nENCRYPTED_TESTVAR=\(Sample.value)\r\nTESTVAR=plain\n"
        #expect(Set(try entries(contents)) == ["PLAIN=1", "TESTVAR=\(Sample.plaintext)"])
        let changed = try run([Array("ENCRYPTED_X=00ff\n".utf8)])
        #expect(changed.status == 65)
        #expect(changed.errorText.contains("ENCRYPTED_X: the value is too short"))
    }

    @Test func `with encrypted lines asks for a key`() throws {
        try directory.write("ENCRYPTED_TESTVAR=\(Sample.value)\n", to: "a.env")
        let output = try InitProcess.run(
            ["--env-only", "--env-file", directory("a.env"), "true"]
        )
        #expect(output.status == 64)
        #expect(output.errorText.contains("no key source"))
    }

    @Test func `yields to real variables and to later files`() throws {
        #expect(
            Set(try entries("A=1\nB=1\nC=1\n", "B=2\nC=2\n", environment: ["C": "3"]))
                == ["A=1", "B=2", "C=3"]
        )
        // Encrypted ones too, while a decrypted value wins over any plain one.
        let key = try Sample.key(Sample.password)
        let first = "ENCRYPTED_A=\(try Sample.encrypt("1", as: "A", with: key))\n"
        let second = "ENCRYPTED_A=\(try Sample.encrypt("2", as: "A", with: key))\n"
        let real = try Sample.encrypt("3", as: "A", with: key)
        #expect(try entries(first, second) == ["A=2"])
        #expect(try entries(first, second, environment: ["A": "plain"]) == ["A=2"])
        #expect(try entries(first, second, environment: ["ENCRYPTED_A": real]) == ["A=3"])
    }

    @Test func `is kept whole where the rest is cleared`() throws {
        let kept = try entries(
            "A=1\nB=1\n",
            options: ["--clear-env", "--keep", "B"],
            environment: ["A": "real", "B": "real", "C": "real"]
        )
        #expect(Set(kept) == ["A=1", "B=real"])
    }

    @Test func `may hold the key and credentials, which the command does not get`() throws {
        try directory.write(
            "THE_KEY=\(Sample.password)\nENCRYPTED_TESTVAR=\(Sample.value)\nMTLS_KEY=x\nA=1\n",
            to: "device.env"
        )
        let output = try InitProcess.run([
            "--env-only", "--key-source", "env:THE_KEY", "--clear-env", "--env-file",
            directory("device.env"), "env",
        ])
        #expect(output.status == 0, "\(output.errorText)")
        #expect(output.text == "A=1\nTESTVAR=\(Sample.plaintext)\n")
    }

    @Test func `leaves nothing of itself in secure-init's memory`() throws {
        let planted = "planted-9f0a6c3e-value"
        try directory.write(
            "PLAIN=\(planted)\nENCRYPTED_TESTVAR=\(Sample.value)\n",
            to: "a.env"
        )
        let process = try InitProcess([
            "--env-only", "--key-source", "file:\(directory("key"))", "--env-file",
            directory("a.env"), "sleep", "60",
        ])
        try process.process.waitForOutput(containing: "command started")
        let needles = [planted, Sample.plaintext, Sample.value].map { Array($0.utf8) }
        #expect(try MemoryScan.find(needles, in: try process.pid).isEmpty)
        // The control: the command has them.
        #expect(try MemoryScan.find(needles, in: process.command(named: "sleep")) == [0, 1])
        try process.signal(SIGTERM)
        try process.process.wait()
    }
}
