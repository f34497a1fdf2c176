import Foundation
import TestSupport
import Testing

@Suite(.requires(.root, .executables)) struct `The command starts` {
    private func run(
        _ options: [String],
        _ command: [String],
        environment: [String: String] = [:],
        directory: String? = nil
    ) throws -> Subprocess.Output {
        try InitProcess.run(
            options + ["--env-only", "--"] + command,
            environment: environment,
            directory: directory
        )
    }

    @Test func `in the directory of --chdir, by flag or variable`() throws {
        #expect(try run(["--chdir", "/usr/share"], ["pwd", "-P"]).text == "/usr/share\n")
        let byVariable = try run([], ["pwd", "-P"], environment: ["SECURE_INIT_CHDIR": "/usr"])
        #expect(byVariable.text == "/usr\n")
        // The control: else where secure-init did.
        #expect(try run([], ["pwd", "-P"], directory: "/usr/lib").text == "/usr/lib\n")
    }

    @Test func `with a path that begins there`() throws {
        let directory = try TemporaryDirectory()
        try directory.write("#!/bin/sh\npwd -P\n", to: "bin/app", mode: 0o755)
        let output = try run(["--chdir", "\(directory.path)/bin"], ["./app"])
        #expect(output.text == "\(directory.path)/bin\n")
    }

    @Test func `not at all where the directory is none it may enter`() throws {
        let directory = try TemporaryDirectory()
        chmod(directory.path, 0o700)
        for (options, reason) in [
            (["--chdir", directory("nowhere")], "No such file or directory"),
            (["--chdir", "/etc/passwd"], "Not a directory"),
            (["--chdir", directory.path, "--user", "4711"], "Permission denied"),
        ] {
            let output = try run(options, ["echo", "started"])
            #expect(output.status == 78)
            #expect(output.text.isEmpty)
            #expect(output.errorText.contains("--chdir '\(options[1])': the command cannot start"))
            #expect(output.errorText.contains(reason), "\(output.errorText)")
            #expect(output.errorText.contains("exit=78 phase=starting-command"))
        }
        // The control: as root the last one may.
        #expect(try run(["--chdir", directory.path], ["true"]).status == 0)
    }

    @Test(.requires(.fuse)) func `in the view, where asked`() throws {
        let directory = try Sample.keyDirectory()
        let output = try InitProcess.run(
            [
                "--key-source", "file:\(directory("key"))", "--storage", "storage", "--config",
                "encrypt.conf", "--mount", "view", "--chdir", directory("view"), "--", "sh", "-c",
                "echo inside >file; pwd -P; stat -f -c %T .",
            ],
            directory: directory.path
        )
        #expect(output.status == 0, "\(output.errorText)")
        // A relative --storage and --mount are still where secure-init was started.
        #expect(output.text == "\(directory("view"))\nfuseblk\n")
        let names = try FileManager.default.contentsOfDirectory(atPath: directory("storage"))
        #expect(names.count == 2 && names.contains("gocryptfs.diriv") && !names.contains("file"))
    }

    @Test(arguments: ["0", "077", "0027", "777"]) func `with the mask of --umask`(
        mask: String
    ) throws {
        let output = try run(["--umask", mask], ["sh", "-c", "umask"])
        #expect(Int(output.text.dropLast(), radix: 8) == Int(mask, radix: 8))
    }

    @Test func `with secure-init's own mask else`() throws {
        let output = try Subprocess.run(
            "sh",
            ["-c", "umask 0135; exec \"$0\" --env-only sh -c umask", Executables.secureInit]
        )
        #expect(output.text == "0135\n")
    }

    @Test(arguments: ["", "8", "-1", "+22", "1000", "0o22", "u=rwx"])
    func `with no mask that is none`(mask: String) throws {
        let output = try run(["--umask", mask], ["echo", "started"])
        #expect(output.status == 64)
        #expect(output.text.isEmpty)
        #expect(output.errorText.contains("an octal number, 0 to 777"))
    }
}

@Suite(.requires(.root, .executables)) struct `A cleared environment` {
    private static let inherited = [
        "PATH": "/usr/bin:/bin", "LANG": "C", "LC_ALL": "C", "LC_TIME": "C", "OTHER": "x",
        "MTLS_KEY": "credential", "THE_KEY": Sample.password, "ENCRYPTED_TESTVAR": Sample.value,
        "HOME": "/root",
    ]

    private func names(_ options: [String]) throws -> Set<String> {
        let output = try InitProcess.run(
            ["--env-only", "--key-source", "env:THE_KEY"] + options + ["--", "env"],
            environment: Self.inherited
        )
        #expect(output.status == 0, "\(output.errorText)")
        return Set(output.text.split(separator: "\n").map { String($0.prefix { $0 != "=" }) })
    }

    @Test func `holds what was decrypted and nothing else`() throws {
        #expect(try names(["--clear-env"]) == ["TESTVAR"])
        // The control.
        #expect(
            try names([]) == ["PATH", "LANG", "LC_ALL", "LC_TIME", "OTHER", "HOME", "TESTVAR"]
        )
    }

    @Test func `holds what --keep names`() throws {
        #expect(
            try names(["--clear-env", "--keep", "PATH,OTHER", "--keep", "NONE"])
                == ["PATH", "OTHER", "TESTVAR"]
        )
        #expect(
            try names(["--clear-env", "--keep=LC_*"]) == ["LC_ALL", "LC_TIME", "TESTVAR"]
        )
    }

    @Test func `never holds what is secure-init's`() throws {
        #expect(
            try names(["--clear-env", "--keep", "MTLS_KEY,THE_KEY,ENCRYPTED_TESTVAR,SECURE_INIT_*"])
                == ["TESTVAR"]
        )
        #expect(try names(["--clear-env", "--keep", "*"]) == names([]))
    }

    @Test func `has the home of the command's user`() throws {
        #expect(try names(["--clear-env", "--user", "daemon"]) == ["HOME", "TESTVAR"])
    }

    @Test func `still leads to the command, in the old search path`() throws {
        let directory = try TemporaryDirectory()
        try directory.write("#!/bin/sh\necho \"${MARK-unset}\"\n", to: "app", mode: 0o755)
        let output = try InitProcess.run(
            ["--env-only", "--clear-env", "app"],
            environment: ["PATH": "\(directory.path):/usr/bin:/bin", "MARK": "set"]
        )
        #expect(output.text == "unset\n")
    }

    @Test(
        arguments: [
            (["--keep", "PATH"], "there is no --clear-env"),
            (["--clear-env", "--keep", ""], "a variable's name"),
            (["--clear-env", "--keep", "A*B"], "a variable's name"),
            (["--clear-env", "--keep", "A=B"], "a variable's name"),
            (["--clear-env", "--keep", "A,,B"], "a variable's name"),
        ]
    )
    func `refuses what cannot be meant`(options: [String], reason: String) throws {
        let output = try InitProcess.run(options + ["--env-only", "--", "echo", "started"])
        #expect(output.status == 64)
        #expect(output.text.isEmpty)
        #expect(output.errorText.contains(reason))
    }
}
