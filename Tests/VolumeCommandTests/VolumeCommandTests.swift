import Foundation
import TestSupport
import Testing

@Suite(.requires(.executables)) struct `The volume commands` {
    private let tool: Workplace

    init() throws { tool = try Workplace() }

    @Test func `encrypt and decrypt a tree`() throws {
        try tool.makePlain()
        let there = try tool("volume", "encrypt", "plain", "storage")
        #expect(there.status == 0, "\(there.errorText)")
        #expect(there.text == "2 files (195.3 KiB), 1 link, 1 folder; 0 unchanged\n")
        let again = try tool.object(tool("volume", "encrypt", "plain", "storage", "--json"))
        #expect(again["unchanged"] as? Int == 3 && again["files"] as? Int == 0)
        let back = try tool.object(tool("volume", "decrypt", "storage", "back", "--json"))
        #expect(back["files"] as? Int == 2 && back["links"] as? Int == 1)
        #expect(try tool.isSame("plain", "back"))
    }

    @Test(.requires(.tool("rclone"))) func `agree with rclone, both ways`() throws {
        try tool.makePlain()
        #expect(try tool("volume", "create", "storage", "--format", "rclone").status == 0)
        #expect(try tool.rclone("copy", "--links", "plain", "encrypted_storage:").status == 0)
        #expect(try tool("volume", "decrypt", "storage", "back").status == 0)
        #expect(try tool.isSame("plain", "back"))
        try tool.directory.write("more", to: "more/added")
        #expect(try tool("volume", "encrypt", "more", "storage").status == 0)
        #expect(try tool.rclone("cat", "encrypted_storage:added").text == "more")
        let shown = try tool("volume", "cat", "storage", "folder/big")
        #expect(shown.standardOutput == [UInt8](repeating: 7, count: 200_000))
    }

    @Test func `list, also what is none of the volume's`() throws {
        try tool.makePlain()
        try tool("volume", "encrypt", "plain", "storage")
        try tool.directory.write("x", to: "storage/stray\u{1b}[31m")
        #expect(try tool("volume", "ls", "storage").text == "folder/\nhello.txt\nlink@\n")
        #expect(try tool("volume", "ls", "storage", "folder").text == "folder/big\n")
        let all = try tool("volume", "ls", "--all", "storage").text
        // What could drive a terminal does not get there.
        #expect(all.contains("undecodable stray\u{fffd}[31m: not in the volume's name encoding"))
        let json = try tool.object(tool("volume", "ls", "-R", "--json", "storage"))
        let entries = try #require(json["entries"] as? [[String: Any]])
        #expect(
            entries.map { $0["path"] as? String } == ["folder", "folder/big", "hello.txt", "link"]
        )
        #expect(entries[1]["size"] as? Int == 200_000)
        #expect((json["undecodable"] as? [[String: Any]])?.count == 1)
        #expect(try tool("volume", "ls", "storage", "nowhere").status == 74)
    }

    @Test func `say how a volume is made, and no secret`() throws {
        let made = try tool(
            "volume",
            "create",
            "storage",
            "--format",
            "rclone",
            "--name-encryption",
            "obfuscate",
            "--password2"
        )
        #expect(made.status == 0)
        let info = try tool("volume", "info", "storage", "--json")
        let object = try tool.object(info)
        #expect(object["format"] as? String == "rclone crypt v1")
        #expect(object["name_encryption"] as? String == "obfuscate")
        #expect(object["salt"] as? String == "secret")
        #expect(!info.text.contains(Workplace.key))
        let again = try tool("volume", "create", "storage")
        #expect(again.status == 73)
        #expect(again.errorText.contains("already"))
    }

    @Test func `take the key from a file and from standard input`() throws {
        try tool.makePlain()
        try tool("volume", "encrypt", "plain", "storage")
        try tool.directory.write("\(Workplace.key)\n", to: "key")
        for (file, input) in [("key", ""), ("-", "\(Workplace.key)\n")] {
            let output = try tool(
                "volume",
                "cat",
                "storage",
                "hello.txt",
                "--key-file",
                file,
                key: nil,
                input: input
            )
            #expect(output.text == "hello\n")
        }
    }

    @Test func `refuse another key, and change nothing`() throws {
        try tool.makePlain()
        try tool("volume", "encrypt", "plain", "storage")
        let before = try tool.directory.read("storage/gocryptfs.conf")
        for arguments in [
            ["ls", "storage"], ["decrypt", "storage", "back"], ["encrypt", "plain", "storage"],
        ] {
            let output = try Subprocess.run(
                Executables.secureStore,
                ["volume"] + arguments,
                environment: ["STORE_PASSWORD": "another"],
                directory: tool.directory.path
            )
            #expect(output.status == 65)
            #expect(output.errorText.contains("does not decrypt"))
            #expect(!output.errorText.contains("another\n"))
        }
        #expect(try tool.directory.read("storage/gocryptfs.conf") == before)
        #expect(!FileManager.default.fileExists(atPath: tool.directory("back")))
    }

    @Test func `report damage by name, with a code of its own`() throws {
        try tool.makePlain()
        try tool("volume", "encrypt", "plain", "storage", "--format", "rclone")
        let files = try Subprocess.run(
            "find",
            [tool.directory("storage"), "-type", "f", "-size", "+100k"]
        )
        let path = files.text.trimmingCharacters(in: .newlines)
        var bytes = try Array(Data(contentsOf: URL(fileURLWithPath: path)))
        bytes[100_000] ^= 1
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        let back = try tool("volume", "decrypt", "storage", "back")
        #expect(back.status == 65)
        #expect(back.errorText.contains("folder/big: block 1 does not authenticate"))
        #expect(back.text.contains("1 NOT transferred"))
        #expect(try tool.directory.read("back/hello.txt") == Array("hello\n".utf8))
        // The blocks before the damage, and not one byte of it.
        let shown = try tool("volume", "cat", "storage", "folder/big")
        #expect(shown.status == 65)
        #expect(shown.standardOutput.count.isMultiple(of: 65_536))
        #expect(shown.standardOutput.allSatisfy { $0 == 7 })
    }

    @Test(arguments: [("gocryptfs", 3), ("rclone", 1)])
    func `stop at a signal, leave nothing half, and go on when run again`(
        format: String,
        entryCount: Int
    ) throws {
        let size = 256 << 20
        try tool.directory.write([UInt8](repeating: 1, count: size), to: "plain/large")
        for number in [SIGTERM, SIGKILL] {
            let running = try tool.start(
                "volume",
                "encrypt",
                "plain",
                "storage",
                "--format",
                format
            )
            let isWriting = waitUntil(timeout: 30) {
                let du = try? Subprocess.run("du", ["-s", "-B1", tool.directory("storage")])
                return Int(du?.text.split(separator: "\t").first ?? "") ?? 0 > 1 << 20
            }
            #expect(isWriting)
            running.signal(number)
            #expect(try running.wait().status == 128 + number)
            #expect(try tool("volume", "ls", "storage").text == "")
        }
        #expect(try tool("volume", "encrypt", "plain", "storage").status == 0)
        let entries = try Subprocess.run("ls", ["-A", tool.directory("storage")]).text
        #expect(entries.split(separator: "\n").count == entryCount, "\(entries)")
        #expect(try tool("volume", "decrypt", "storage", "back").status == 0)
        #expect(try tool.isSame("plain", "back"))
    }

    @Test(.requires(.tool("rclone"))) func `do what -encrypt-content did`() throws {
        try tool.makePlain()
        let output = try tool(
            "-encrypt-content",
            "./plain/.",
            "-config-path",
            "encrypt.conf",
            "-password",
            Workplace.key,
            key: nil
        )
        #expect(output.status == 0, "\(output.errorText)")
        #expect(try tool.rclone("cat", "encrypted_storage:hello.txt").text == "hello\n")
        // Without the full stop the folder itself is copied, as `cp -r` did.
        try tool(
            "-encrypt-content",
            "./plain",
            "-config-path",
            "encrypt.conf",
            "-password",
            Workplace.key,
            key: nil
        )
        #expect(try tool.rclone("cat", "encrypted_storage:plain/hello.txt").text == "hello\n")
    }

    @Test(.requires(.fuse, .tool("mountpoint")), arguments: ["gocryptfs", "rclone"])
    func `mount until a signal, and take changes`(format: String) throws {
        try tool.makePlain()
        try tool("volume", "encrypt", "plain", "storage", "--format", format)
        for number in [SIGINT, SIGTERM, SIGHUP] {
            let mounted = try tool.start("volume", "mount", "storage", "view")
            try mounted.waitForOutput(containing: "is mounted at view")
            let asked = "cat /sys/class/bdi/$(mountpoint -d view)/read_ahead_kb"
            let ahead = try Subprocess.run("sh", ["-c", asked], directory: tool.directory.path)
            #expect(ahead.text == "1024\n", "\(ahead.errorText)")
            #expect(try tool.directory.read("view/hello.txt") == Array("hello\n".utf8))
            try tool.directory.write("written \(number)", to: "view/new")
            mounted.signal(number)
            #expect(try mounted.wait().status == 0)
            #expect(try Subprocess.run("mountpoint", [tool.directory("view")]).status != 0)
            #expect(try tool("volume", "cat", "storage", "new").text == "written \(number)")
        }
    }
}
