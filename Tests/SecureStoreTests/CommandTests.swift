import Foundation
import TestSupport
import Testing

@Suite(.requires(.executables)) struct `The operator's commands` {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func run(
        _ arguments: [String],
        input: String = "",
        password: String? = nil
    ) throws -> Subprocess.Output {
        var environment = ["PATH": "/usr/bin:/bin"]
        environment["STORE_PASSWORD"] = password
        return try Subprocess.run(
            Executables.secureStore,
            arguments,
            environment: environment,
            standardInput: Array(input.utf8)
        )
    }

    private func object(_ output: Subprocess.Output) throws -> [String: Any] {
        try #require(
            try JSONSerialization.jsonObject(with: Data(output.standardOutput)) as? [String: Any]
        )
    }

    // MARK: Keys

    @Test func `make keys that have an id`() throws {
        let key = try run(["key", "new"])
        #expect(key.text.hasPrefix("ssk1_"))
        let id = try run(["key", "show-id", "--key-file", "-"], input: key.text)
        #expect(id.status == 0)
        #expect(id.text.wholeMatch(of: /[0-9a-f]{8}\n/) != nil)
        let json = try object(
            run(["key", "show-id", "--key-file", "-", "--json"], input: key.text)
        )
        #expect("\(json["id"] ?? "")\n" == id.text)
    }

    @Test func `write a key to a file that only its owner reads, and replace none`() throws {
        let path = directory("key")
        let made = try object(run(["key", "new", "--out", path, "--json"]))
        #expect(made["key"] == nil)
        #expect(try Subprocess.run("stat", ["-c", "%a", path]).text == "600\n")
        let id = try run(["key", "show-id", "--key-file", path])
        #expect(id.text == "\(made["id"] ?? "")\n")
        let again = try run(["key", "new", "--out", path])
        #expect(again.status == 73)
        #expect(try run(["key", "show-id", "--key-file", path]).text == id.text)
    }

    @Test func `tell a password from a key`() throws {
        let output = try run(["key", "show-id"], password: "hunter2")
        #expect(output.status == 65)
        #expect(!output.errorText.contains("hunter2"))
    }

    @Test func `warn of a generated key that was mistyped`() throws {
        let key = try run(["key", "new"]).text.trimmingCharacters(in: .newlines)
        let output = try run(
            ["env", "encrypt", "A"],
            input: "x",
            password: String(key.dropLast())
        )
        #expect(output.status == 0)
        #expect(output.errorText.contains("checksum"))
        #expect(!output.errorText.contains(key.dropLast().suffix(20)))
        let whole = try run(["env", "encrypt", "A"], input: "x", password: key)
        #expect(whole.errorText.isEmpty)
    }

    // MARK: Variables

    @Test func `encrypt and decrypt with a password in the original form`() throws {
        let encrypted = try run(["env", "encrypt", "TESTVAR"], input: "a=b\n", password: "pw")
        #expect(encrypted.text.wholeMatch(of: /ENCRYPTED_TESTVAR=[0-9a-f]{62}\n/) != nil)
        let decrypted = try run(["env", "decrypt"], input: encrypted.text, password: "pw")
        #expect(decrypted.status == 0)
        #expect(decrypted.text == "a=b")
    }

    @Test func `encrypt and decrypt with a generated key, bound to the name`() throws {
        let key = directory("key")
        _ = try run(["key", "new", "--out", key])
        let encrypted = try run(["env", "encrypt", "A", "--key-file", key], input: "value")
        let line = encrypted.text.trimmingCharacters(in: .newlines)
        #expect(line.hasPrefix("ENCRYPTED_A=v2."))
        #expect(try run(["env", "decrypt", line, "--key-file", key]).text == "value")
        let other = line.replacingOccurrences(of: "ENCRYPTED_A=", with: "ENCRYPTED_B=")
        let moved = try run(["env", "decrypt", other, "--key-file", key])
        #expect(moved.status == 65)
        #expect(moved.text.isEmpty)
    }

    @Test func `open what the original wrote`() throws {
        let output = try run(
            [
                "env", "decrypt",
                "ENCRYPTED_TESTVAR=b2c8955bad9bc7520e09f42e7a24b34860745b6fad240368dcc201d2d175938f"
                    + "55b5a404265c09f848c758aeb4248b7b32d63d1baad66a",
            ],
            password: "my-password-eQ4al9jgPxlWDwxL6uiGdznhhVJzaVQPnkNRjwvwoTvqWpeBJJJZ"
        )
        #expect(output.text == "this-is-my-new-test-api-key")
    }

    @Test(arguments: [
        ("x\n", [], "x"), ("x\r\n", [], "x"), ("x\n\n", [], "x\n"), ("x", [], "x"), ("", [], ""),
        ("x\n", ["--keep-newline"], "x\n"), ("two\nlines\n", [], "two\nlines"),
    ])
    func `leave off one line's end`(input: String, more: [String], value: String) throws {
        let encrypted = try run(["env", "encrypt", "A"] + more, input: input, password: "pw")
        #expect(try run(["env", "decrypt"], input: encrypted.text, password: "pw").text == value)
    }

    @Test(arguments: [
        ["env", "encrypt", "1A"], ["env", "encrypt", "A B"], ["env", "encrypt", ""],
        ["env", "encrypt", "A", "--key-file", "-"], ["env", "decrypt", "NOTHING"],
        ["env", "decrypt", "--key-file", "-"], ["env", "encrypt"],
    ])
    func `refuse variables that make no sense`(arguments: [String]) throws {
        #expect(try run(arguments, input: "x", password: "pw").status == 64)
    }

    @Test func `refuse the new form to a password`() throws {
        let output = try run(
            ["env", "encrypt", "A", "--form", "v2"],
            input: "x",
            password: "hunter2"
        )
        #expect(output.status == 65)
        #expect(output.errorText.contains("ssk1_"))
    }

    @Test func `need a key, and say where from`() throws {
        // Without a controlling terminal there is nobody to ask.
        let output = try Subprocess.run(
            "setsid",
            ["-w", Executables.secureStore, "env", "encrypt", "A"],
            environment: ["PATH": "/usr/bin:/bin"],
            standardInput: [0x78]
        )
        #expect(output.status == 64)
        #expect(output.errorText.contains("--key-file"))
    }

    @Test(.requires(.tool("script")))
    func `ask for a key without echo`() throws {
        let command = "printf x | \(Executables.secureStore) env encrypt A"
        let output = try Subprocess.run(
            "sh",
            [
                "-c",
                "(sleep 1; printf 'hunter2\\n'; sleep 1; printf 'hunter2\\n'; sleep 1) | "
                    + "script -qec \"\(command)\" /dev/null",
            ],
            environment: ["PATH": "/usr/bin:/bin"]
        )
        #expect(output.text.contains("Key or password:"))
        #expect(output.text.contains("ENCRYPTED_A="))
        #expect(!output.text.contains("hunter2"))
    }

    // MARK: Certificates

    @Test func `print a device's variables for a dashboard`() throws {
        let state = directory("state")
        #expect(try run(["ca", "init", "--state", state, "--hostname", "localhost"]).status == 0)
        let output = try run(["device", "add", "d1", "--state", state, "--base64"])
        let lines = output.text.split(separator: "\n")
        #expect(lines.map { $0.prefix { $0 != "=" } } == ["MTLS_CERT", "MTLS_KEY", "MTLS_CA"])
        for line in lines {
            let data = try #require(
                Data(base64Encoded: String(line.drop { $0 != "=" }.dropFirst()))
            )
            #expect(data.starts(with: Data("-----BEGIN ".utf8)))
        }
        let json = try object(
            run(["device", "add", "d2", "--state", state, "--base64", "--json"])
        )
        #expect((json["variables"] as? [String: String])?.count == 3)
        #expect(json["device"] as? String == "d2")
        let list = try object(run(["device", "list", "--state", state, "--json"]))
        #expect((list["devices"] as? [[String: Any]])?.count == 2)
        #expect(try run(["device", "add", "d1", "--state", state, "--base64"]).status == 73)
    }

    @Test func `write a device's files and replace none`() throws {
        let state = directory("state")
        _ = try run(["ca", "init", "--state", state, "--hostname", "localhost"])
        let out = directory("device")
        #expect(try run(["device", "add", "d1", "--state", state, "--out", out]).status == 0)
        let environment = String(decoding: try directory.read("device/device.env"), as: UTF8.self)
        #expect(environment.split(separator: "\n").count == 3)
        #expect(
            try run(["device", "add", "d2", "--state", state, "--out", out]).status == 73
        )
        #expect(
            String(decoding: try directory.read("device/device.env"), as: UTF8.self) == environment
        )
    }

    @Test func `refuse names and options that make no sense`() throws {
        let state = directory("state")
        _ = try run(["ca", "init", "--state", state, "--hostname", "localhost"])
        for arguments in [
            ["../x", "--base64"], ["X", "--base64"], ["a.b", "--base64"], ["a"],
            ["a", "--base64", "--out", "o"], ["a", "--base64", "--days", "0"],
        ] {
            let output = try run(["device", "add", "--state", state] + arguments)
            #expect(output.status == 64, "\(arguments)")
            #expect(output.text.isEmpty)
        }
        #expect(
            try run(["ca", "init", "--state", directory("s2"), "--hostname", "a b"]).status == 64
        )
    }

    @Test func `show the authority`() throws {
        let state = directory("state")
        _ = try run(["ca", "init", "--state", state, "--hostname", "localhost"])
        let json = try object(run(["ca", "show", "--state", state, "--json"]))
        let server = try #require(json["server"] as? [String: Any])
        #expect(server["alternative_names"] as? [String] == ["localhost"])
        #expect(
            try run(["ca", "show", "--state", state, "--pem"]).standardOutput
                == directory.read("state/ca.pem")
        )
        #expect(try run(["ca", "init", "--state", state]).status == 73)
        #expect(try run(["ca", "show", "--state", directory("none")]).status == 78)
    }

    // MARK: The rest

    @Test(arguments: ["bash", "zsh", "fish"])
    func `complete in shells`(shell: String) throws {
        let output = try run(["completions", shell])
        #expect(output.status == 0)
        #expect(output.text.contains("secure-store"))
        #expect(!output.text.contains("encrypt-string"))
    }

    @Test func `have a version and help`() throws {
        #expect(try run(["--version"]).text.hasPrefix("secure-store "))
        #expect(try run(["--help"]).text.contains("serve"))
        #expect(try run(["nonsense"]).status == 64)
        #expect(try run(["serve", "--nonsense"]).status == 64)
    }
}
