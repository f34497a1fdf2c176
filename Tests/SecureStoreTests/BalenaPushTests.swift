import Foundation
import TestSupport
import Testing

/// `balena push` against what stands for balena's API.
@Suite(.requires(.executables, .tool("python3")))
struct `A push to balena` {
    private static let uuid = BalenaStub.uuid(1)
    private static let plaintext = "sentinel-5e7c-in-clear"

    /// A file of variables in the stub's directory.
    private func file(_ stub: BalenaStub, _ text: String, _ name: String = "v.env") throws -> String
    {
        try stub.directory.write(text, to: name, mode: 0o600)
    }

    @Test func `makes what is missing, changes what differs, leaves the rest`() throws {
        let stub = try BalenaStub(
            BalenaStub.world(
                devices: 2,
                variables: [
                    BalenaStub.variable("MTLS_CERT", "old"), BalenaStub.variable("MTLS_CA", "ca"),
                    BalenaStub.variable("OTHER", "theirs"),
                    BalenaStub.variable("MTLS_CERT", "of the other", device: 2),
                ]
            )
        )
        let variables = try file(
            stub,
            "# a comment\n\nMTLS_CERT=new\r\nMTLS_KEY=k=ey\nMTLS_CA=ca\n"
        )
        let push = ["push", "--device", Self.uuid, "--env-file", variables]

        let rehearsal = try stub.run(push + ["--dry-run"])
        #expect(rehearsal.status == 0, "\(rehearsal.errorText)")
        #expect(
            rehearsal.text == "device \(Self.uuid): would create MTLS_KEY; would change MTLS_CERT; "
                + "unchanged MTLS_CA\n"
        )
        #expect(try stub.writes() == 0)

        let first = try stub.run(push + ["--json"])
        #expect(first.status == 0, "\(first.errorText)")
        let report = try #require(
            JSONSerialization.jsonObject(with: Data(first.standardOutput)) as? [String: Any]
        )
        let target = try #require((report["targets"] as? [[String: Any]])?.first)
        #expect(target["created"] as? [String] == ["MTLS_KEY"])
        #expect(target["changed"] as? [String] == ["MTLS_CERT"])
        #expect(target["unchanged"] as? [String] == ["MTLS_CA"])
        #expect(
            try stub.device(1) == [
                "MTLS_CERT": "new", "MTLS_KEY": "k=ey", "MTLS_CA": "ca", "OTHER": "theirs",
            ]
        )
        #expect(try stub.device(2) == ["MTLS_CERT": "of the other"])
        #expect(try stub.writes() == 2)

        let second = try stub.run(push)
        #expect(second.text.hasSuffix("unchanged MTLS_CERT MTLS_KEY MTLS_CA\n"))
        #expect(try stub.writes() == 2, "what is as it should be is not written")
    }

    @Test func `encrypts here: nothing in clear leaves or is logged`() throws {
        let stub = try BalenaStub(BalenaStub.world())
        let key = stub.directory("key")
        _ = try Subprocess.run(Executables.secureStore, ["key", "new", "--out", key])
        let push = ["push", "--fleet", "acme/shops", "--encrypt", "-", "--key-file", key]
        let input = "API_KEY=\(Self.plaintext)\nPIN=\(Self.plaintext)-2\n"
        let first = try stub.run(push, input: input)
        #expect(first.status == 0, "\(first.errorText)")
        #expect(first.text == "fleet acme/shops: created ENCRYPTED_API_KEY ENCRYPTED_PIN\n")
        let state = try stub.state()["application_environment_variable"]?["1"] ?? [:]
        #expect(state.keys.sorted() == ["ENCRYPTED_API_KEY", "ENCRYPTED_PIN"])
        let value = try #require(state["ENCRYPTED_API_KEY"])
        #expect(value.hasPrefix("v2."))
        let decrypted = try Subprocess.run(
            Executables.secureStore,
            ["env", "decrypt", "ENCRYPTED_API_KEY=\(value)", "--key-file", key]
        )
        #expect(decrypted.text == Self.plaintext)

        // Ciphertext is another each time: what decrypts to the same is left alone.
        let second = try stub.run(push, input: input)
        #expect(second.text == "fleet acme/shops: unchanged ENCRYPTED_API_KEY ENCRYPTED_PIN\n")
        let changed = try stub.run(push, input: "API_KEY=another\nPIN=\(Self.plaintext)-2\n")
        #expect(changed.text.contains("changed ENCRYPTED_API_KEY; unchanged ENCRYPTED_PIN"))
        let log = try String(decoding: stub.directory.read("requests.json"), as: UTF8.self)
        let all = log + first.text + first.errorText + second.text + second.errorText
        #expect(!all.contains(Self.plaintext))
        // The control: the ciphertext is where the plaintext was looked for.
        #expect(all.contains(value))
        #expect(!(first.text + first.errorText).contains(value), "no value is printed")
    }

    @Test func `sends nothing in clear that it was not told to`() throws {
        let stub = try BalenaStub(BalenaStub.world())
        let fleet = ["push", "--fleet", "acme/shops"]
        for (line, complaint, status) in [
            ("API_KEY=\(Self.plaintext)", "--plain API_KEY", 64),
            ("STORE_PASSWORD=\(Self.plaintext)", "is the key itself", 64),
            ("ENCRYPTED_API_KEY=\(Self.plaintext)", "does not hold ciphertext", 65),
            ("BALENA_X=\(Self.plaintext)", "keeps names such as this", 65),
            ("9LIVES=\(Self.plaintext)", "line 1 of", 65),
            ("\(Self.plaintext)", "line 1 of", 65),
            ("MTLS_KEY=a\nMTLS_KEY=\(Self.plaintext)", "given twice", 64),
            ("MTLS_KEY=\(String(repeating: Self.plaintext, count: 5000))", "100000 bytes", 65),
        ] {
            let more = line.hasPrefix("BALENA") ? ["--plain", "BALENA_X"] : []
            let output = try stub.run(fleet + ["--env-file", "-"] + more, input: line + "\n")
            #expect(output.status == Int32(status), "\(line): \(output.errorText)")
            #expect(output.errorText.contains(complaint), "\(output.errorText)")
            #expect(!output.errorText.contains(Self.plaintext), "\(output.errorText)")
        }
        #expect(try stub.requests().isEmpty)
        let allowed = try stub.run(
            fleet + ["--env-file", "-", "--plain", "MODE"],
            input: "MODE=fast\nSECURE_INIT_KEY_SOURCE=https://keys:8443\n"
        )
        #expect(allowed.status == 0, "\(allowed.errorText)")
        #expect(try stub.state()["application_environment_variable"]?["1"]?["MODE"] == "fast")
    }

    @Test(arguments: [nil, "till"])
    func `sets variables of services, of a fleet and of one device`(service: String?) throws {
        let stub = try BalenaStub(BalenaStub.world())
        let variables = try file(stub, "SECURE_INIT_STRICT=1\n")
        let more = ["--env-file", variables] + (service.map { ["--service", $0] } ?? [])
        for target in [["--fleet", "acme/shops"], ["--device", Self.uuid]] {
            let output = try stub.run(["push"] + target + more)
            #expect(output.status == 0, "\(output.errorText)")
        }
        let resources =
            service == nil
            ? ["application_environment_variable", "device_environment_variable"]
            : ["device_service_environment_variable", "service_environment_variable"]
        #expect(try stub.state().keys.sorted() == resources)
        let missing = try stub.run(
            ["push", "--fleet", "acme/shops", "--env-file", variables, "--service", "it's"]
        )
        #expect(missing.status == 1)
        #expect(missing.text.contains("balena knows no fleet acme/shops, service it's"))
    }

    @Test func `goes on when answers fail, and writes each variable once`() throws {
        let faults: [[String: Any]] = [
            ["match": "GET /v7/device?", "do": "500"],
            ["match": "GET /v7/device?", "do": "drop"],
            ["match": "GET /v7/device_env", "do": "slow 0.5"],
            ["match": "POST /v7/device_env", "do": "drop"],
            ["match": "POST /v7/device_env", "do": "drop-after"],
            ["match": "POST /v7/device_env", "do": "503"],
            ["match": "POST /v7/device_env", "do": "drip"],
            ["match": "PATCH /v7/device_env", "do": "drop-after"],
            ["match": "PATCH /v7/device_env", "do": "502"],
        ]
        let stub = try BalenaStub(
            BalenaStub.world(
                variables: [BalenaStub.variable("MTLS_CA", "old")],
                faults: faults
            )
        )
        let variables = try file(stub, "MTLS_CERT=c\nMTLS_KEY=k\nMTLS_CA=a\n")
        let output = try stub.run(["push", "--device", Self.uuid, "--env-file", variables])
        #expect(output.status == 0, "\(output.errorText)")
        // Those that were made although the answer was lost count as made.
        #expect(output.text.contains("created"), "\(output.text)")
        #expect(output.text.contains("MTLS_CERT") && !output.text.contains("unchanged"))
        #expect(try stub.device(1) == ["MTLS_CERT": "c", "MTLS_KEY": "k", "MTLS_CA": "a"])
    }

    @Test func `asks again where no answer comes`() throws {
        let stub = try BalenaStub(BalenaStub.world(faults: [["match": "POST", "do": "hang"]]))
        let output = try stub.run(
            ["push", "--device", Self.uuid, "--env-file", "-", "--timeout", "3"],
            input: "SECURE_INIT_STRICT=1\n"
        )
        #expect(output.status == 0, "\(output.errorText)")
        #expect(try stub.device(1) == ["SECURE_INIT_STRICT": "1"])
    }

    @Test func `waits as long as Retry-After says`() throws {
        let stub = try BalenaStub(
            BalenaStub.world(
                devices: 3,
                faults: [
                    ["match": "GET", "do": "429 1"], ["match": "POST", "times": 2, "do": "429 1"],
                ]
            )
        )
        let devices = (1...3).map { "shop-\($0),\(BalenaStub.uuid($0))\n" }.joined()
        let output = try stub.run(
            ["push", "--csv", try file(stub, devices, "d.csv"), "--env-file", "-"],
            input: "SECURE_INIT_STRICT=1\n"
        )
        #expect(output.status == 0, "\(output.errorText)")
        let requests = try stub.requests()
        #expect(requests.count == 3 * 3 + 3)
        #expect(!requests.contains { $0["early"] as? Bool == true })
        #expect(try stub.device(3) == ["SECURE_INIT_STRICT": "1"])

        let never = try BalenaStub(
            BalenaStub.world(faults: [["match": "GET", "times": 99, "do": "429 86400"]])
        )
        let given = try never.run(
            ["push", "--device", Self.uuid, "--env-file", "-"],
            input: "SECURE_INIT_STRICT=1\n"
        )
        #expect(given.status == 69)
        #expect(given.errorText.contains("86400 s"), "\(given.errorText)")
        #expect(try never.requests().count == 1)
    }

    @Test func `is no faster than it was told to be`() throws {
        let stub = try BalenaStub(BalenaStub.world(devices: 4))
        let devices = (1...4).map { "shop-\($0),\(BalenaStub.uuid($0))\n" }.joined()
        let list = try file(stub, devices, "d.csv")
        let begin = Date().timeIntervalSince1970
        let output = try stub.run(
            ["push", "--csv", list, "--env-file", "-", "--rate", "8"],
            input: "SECURE_INIT_STRICT=1\n"
        )
        #expect(output.status == 0, "\(output.errorText)")
        let times = try stub.requests().compactMap { $0["time"] as? Double }
        #expect(times.count == 12)
        // The n-th request is not there before n intervals have passed, however busy the machine.
        for (index, time) in times.enumerated() {
            #expect(time - begin >= Double(index) / 8 - 0.005)
        }
    }

    @Test func `names the device that is not there, and does the others`() throws {
        let stub = try BalenaStub(BalenaStub.world(devices: 2))
        let list = """
            shop-1,\(BalenaStub.uuid(1))
            gone,\(BalenaStub.uuid(77))
            theirs,\(BalenaStub.uuid(9999))
            shop-2,\(BalenaStub.uuid(2))

            """
        for (name, value) in [("shop-1", "1"), ("shop-2", "2"), ("gone", "3"), ("theirs", "4")] {
            _ = try file(stub, "MTLS_KEY=\(value)\n", "devices/\(name)/device.env")
        }
        let push = [
            "push", "--csv", try file(stub, list, "d.csv"), "--credentials",
            stub.directory("devices"),
        ]
        let output = try stub.run(push)
        #expect(output.status == 1)
        #expect(output.errorText == "secure-store: 2 of 4 were not set\n")
        let lines = output.text.split(separator: "\n")
        #expect(lines.count == 4)
        #expect(lines[1].hasPrefix("[2/4] gone, device \(BalenaStub.uuid(77)): balena knows no"))
        #expect(try stub.device(1) == ["MTLS_KEY": "1"])
        #expect(try stub.device(2) == ["MTLS_KEY": "2"])
        #expect(try stub.device(9999).isEmpty)
        // A file that is missing is found before anything is sent.
        try FileManager.default.removeItem(atPath: stub.directory("devices/shop-2/device.env"))
        let before = try stub.requests().count
        #expect(try stub.run(push).status == 74)
        #expect(try stub.requests().count == before)
    }

    @Test func `says what to do when it is refused`() throws {
        let stub = try BalenaStub(BalenaStub.world())
        let push = ["push", "--device", Self.uuid, "--env-file", "-"]
        let input = "SECURE_INIT_STRICT=1\n"
        let wrong = try stub.run(push, input: input, environment: ["BALENA_API_KEY": "revoked"])
        #expect(wrong.status == 77)
        #expect(wrong.errorText.contains("Preferences, Access tokens"), "\(wrong.errorText)")
        let blind = try stub.run(push, input: input, environment: ["BALENA_TOKEN": "reader"])
        #expect(blind.status == 1)
        #expect(blind.text.contains("or this token may not see it"))
        let none = try stub.run(push, input: input, environment: [:])
        #expect(none.status == 64)
        #expect(none.errorText.contains("--token-file"))
        let elsewhere = try stub.run(push, input: input, api: "https://localhost:\(stub.port)/x")
        #expect(elsewhere.status == 78)
        #expect(elsewhere.errorText.contains("is --api the address"))
        // Another host's certificate, and an authority that is not trusted.
        let host = try stub.run(push, input: input, api: "https://127.0.0.1:\(stub.port)")
        #expect(host.status == 69)
        #expect(host.errorText.contains("is not for 127.0.0.1"), "\(host.errorText)")
        let other = try BalenaStub(BalenaStub.world())
        let stranger = try Subprocess.run(
            Executables.secureStore,
            ["balena"] + push + [
                "--api", "https://localhost:\(stub.port)", "--ca", other.directory("ca/ca.pem"),
            ],
            environment: ["BALENA_TOKEN": BalenaStub.token],
            standardInput: Array(input.utf8)
        )
        #expect(stranger.status == 69)
        #expect(stranger.errorText.contains("not trusted"), "\(stranger.errorText)")
        for output in [wrong, blind, none, elsewhere, host, stranger] {
            #expect(!output.errorText.contains(BalenaStub.token))
        }
        #expect(try stub.writes() == 0)
    }

    @Test(arguments: ["text", "huge"])
    func `takes no answer that is not as documented`(fault: String) throws {
        let stub = try BalenaStub(
            BalenaStub.world(faults: [["match": "GET", "times": 99, "do": fault]])
        )
        let output = try stub.run(
            ["push", "--device", Self.uuid, "--env-file", "-"],
            input: "SECURE_INIT_STRICT=1\n"
        )
        #expect(output.status == (fault == "text" ? 65 : 69), "\(output.errorText)")
        #expect(try stub.requests().count == 1)
    }

    @Test func `lists a fleet's devices over its pages`() throws {
        let stub = try BalenaStub(BalenaStub.world(devices: 205))
        let output = try stub.run(["devices", "--fleet", "acme/shops"])
        #expect(output.status == 0, "\(output.errorText)")
        let lines = output.text.split(separator: "\n")
        #expect(lines.count == 205)
        #expect(lines.first == "shop-1,\(BalenaStub.uuid(1))")
        #expect(lines.last == "shop-205,\(BalenaStub.uuid(205))")
        #expect(try stub.requests().count == 1 + 3)
        let theirs = try stub.run(["devices", "--fleet", "other/fleet"])
        #expect(theirs.status == 1)
        #expect(theirs.errorText.contains("balena knows no fleet other/fleet"))
    }
}
