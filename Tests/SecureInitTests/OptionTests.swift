import Foundation
import TestSupport
import Testing

@Suite(.requires(.executables)) struct `Options` {
    private func run(
        _ arguments: [String],
        _ environment: [String: String] = [:]
    ) throws -> Subprocess.Output {
        try InitProcess.run(arguments, environment: environment, place: .ordinary)
    }

    @Test func `are explained by --help, each with its name`() throws {
        let output = try run(["--help"])
        #expect(output.status == 0)
        for option in [
            "--key-source", "--cert", "--key", "--ca", "--token-file", "--key-timeout",
            "--env-only", "--storage", "--mount", "--config", "--create", "--read-only", "--user",
            "--keep-capabilities", "--chdir", "--umask", "--clear-env", "--keep", "--env-file",
            "--deliver", "--deliver-dir", "--strict",
            "--group",
            "--rewrite", "--remap-exit", "--subreaper",
            "--parent-death-signal", "--warn-on-reap", "--stop-grace", "--log-format",
            "--log-level", "--version", "--help", "-decrypt", "-local", "-hostname", "-port",
            "-path", "-config-path", "-certificate-path", "-key-path", "-force-unmount",
        ] {
            #expect(output.text.contains("  \(option)"), "\(option)")
        }
        #expect(output.text.split(separator: "\n").allSatisfy { $0.count <= 90 })
    }

    @Test func `that are mistyped get a suggestion`() throws {
        let output = try run(["--env-onyl", "true"])
        #expect(output.status == 64)
        #expect(output.errorText.contains("did you mean --env-only?"))
        let variable = try run(["--env-only", "true"], ["SECURE_INIT_STROAGE": "x"])
        #expect(variable.status == 64)
        #expect(variable.errorText.contains("did you mean SECURE_INIT_STORAGE?"))
    }

    @Test func `come from variables, and flags win`() throws {
        let environment = ["SECURE_INIT_ENV_ONLY": "1", "SECURE_INIT_LOG_FORMAT": "json"]
        let byVariable = try run(["true"], environment)
        #expect(byVariable.status == 0)
        #expect(byVariable.errorText.hasPrefix("{\"time\":\""))
        let byFlag = try run(["--log-format=text", "true"], environment)
        #expect(byFlag.errorText.hasPrefix("secure-init: command started"))
    }

    @Test(
        arguments: [
            (["--key-timeout", "soon"], "a length of time"),
            (["--rewrite", "TERM"], "two signals"),
            (["--rewrite", "NONE:TERM"], "two signals"),
            (["--remap-exit", "256"], "an exit code"),
            (["--create", "maybe"], "auto or never"),
            (["--log-level", "loud"], "error, warning, info or debug"),
            (["--parent-death-signal", "X"], "a signal's name or number"),
            (["--env-only=perhaps"], "is a switch"),
            (["--user"], "wants a value"),
        ]
    )
    func `with values they cannot take say what they take`(
        arguments: [String],
        wanted: String
    ) throws {
        let output = try run(arguments + ["--env-only", "true"])
        #expect(output.status == 64)
        let last = arguments == ["--user"] ? try run(["--user"]).errorText : output.errorText
        #expect(last.contains(wanted))
    }

    @Test func `end at the command or at two dashes`() throws {
        let output = try run(["--env-only", "--", "printf", "%s\\n", "--help"])
        #expect(output.text == "--help\n")
        #expect(try run(["--env-only", "printf", "%s\\n", "--version"]).text == "--version\n")
    }

    @Test func `take one dash or two, a value behind = or next`() throws {
        for spelling in [["-env-only"], ["--env-only=true"], ["-env-only=t"]] {
            #expect(try run(spelling + ["true"]).status == 0)
        }
        #expect(try run(["-env-only=false", "-local=x", "-path=/proc", "true"]).status != 0)
    }
}

@Suite(.requires(.root, .executables)) struct `The log` {
    @Test func `never holds a secret`() throws {
        let (key, text) = Sample.generatedKey()
        let sentinel = "sentinel-0b7e55d1"
        let directory = try Sample.keyDirectory(text)
        let environment = [
            "ENCRYPTED_A": try Sample.encrypt(sentinel, as: "A", with: key),
            "MTLS_KEY": "\(sentinel)-pem", "STORE_TOKEN": "\(sentinel)-token",
        ]
        for format in ["text", "json"] {
            let good = try InitProcess.run(
                [
                    "--env-only", "--log-level", "debug", "--log-format", format, "--key-source",
                    "file:\(directory("key"))", "true",
                ],
                environment: environment
            )
            #expect(good.status == 0)
            var changed = environment
            changed["ENCRYPTED_B"] = "v2.\(sentinel)"
            let bad = try InitProcess.run(
                ["--env-only", "--log-level", "debug", "--key-source", "file:\(directory("key"))"]
                    + ["true"],
                environment: changed
            )
            #expect(bad.status == 65)
            for output in [good, bad] {
                #expect(!output.errorText.isEmpty)
                #expect(!output.errorText.contains(sentinel))
                #expect(!output.errorText.contains(text))
            }
        }
    }

    @Test func `is one line of JSON for each phase`() throws {
        let directory = try Sample.keyDirectory()
        let output = try InitProcess.run(
            [
                "--env-only", "--log-format", "json", "--key-source", "file:\(directory("key"))",
                "true",
            ],
            environment: ["ENCRYPTED_TESTVAR": Sample.value]
        )
        let lines = try output.errorText.split(separator: "\n").map { line in
            try #require(
                try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
            )
        }
        #expect(
            lines.compactMap { $0["message"] as? String } == [
                "key obtained", "variables decrypted", "command started", "command ended",
            ]
        )
        #expect(lines.allSatisfy { $0["level"] as? String == "info" && $0["time"] is String })
    }

    @Test func `cannot be forged by a command's name`() throws {
        let output = try InitProcess.run(["--env-only", "a\nsecure-init: command ended exit=0"])
        #expect(output.status == 127)
        #expect(output.errorText.split(separator: "\n").count == 1)
    }

    @Test func `that nobody reads does not stop the supervisor`() throws {
        let pipe = Pipe()
        // Filled to the brim, and never read.
        _ = fcntl(pipe.fileHandleForWriting.fileDescriptor, F_SETFL, O_NONBLOCK)
        let chunk = [UInt8](repeating: 0, count: 65_536)
        while write(pipe.fileHandleForWriting.fileDescriptor, chunk, chunk.count) > 0 {}
        _ = fcntl(pipe.fileHandleForWriting.fileDescriptor, F_SETFL, 0)
        let process = try Subprocess.start(
            "sh",
            ["-c", "exec \"$0\" --env-only sh -c 'exit 8' 2>&9", Executables.secureInit],
            descriptors: [9: pipe.fileHandleForWriting.fileDescriptor]
        )
        #expect(try process.wait(timeout: 20).status == 8)
    }
}
