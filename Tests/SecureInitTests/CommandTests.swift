import Foundation
import TestSupport
import Testing

@Suite(.requires(.root, .executables, .tool("setpriv"))) struct `The command` {
    private func status(_ options: [String], wrapper: [String] = []) throws -> [String: String] {
        let output = try InitProcess.run(
            options + ["--env-only", "cat", "/proc/self/status"],
            wrapper: wrapper
        )
        var fields: [String: String] = [:]
        for line in output.text.split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 1)
            fields[String(parts[0])] = parts.dropFirst().joined()
                .trimmingCharacters(in: .whitespaces)
        }
        return fields
    }

    private static let administer: UInt64 = 1 << 21
    private static let trace: UInt64 = 1 << 19

    @Test func `loses the capabilities only secure-init needs, for good`() throws {
        let fields = try status([])
        for set in ["CapPrm", "CapEff", "CapBnd"] {
            let bits = try #require(UInt64(fields[set] ?? "", radix: 16))
            #expect(bits & (Self.administer | Self.trace) == 0)
            #expect(bits != 0, "the others it keeps")
        }
    }

    @Test func `keeps them where asked`() throws {
        let fields = try status(["--keep-capabilities"])
        for set in ["CapPrm", "CapEff", "CapBnd"] {
            let bits = try #require(UInt64(fields[set] ?? "", radix: 16))
            #expect(bits & Self.administer != 0)
        }
    }

    @Test func `cannot get them back where they could not be dropped for good`() throws {
        // Without CAP_SETPCAP the bounding set stays, and an exec as root would raise from it.
        let fields = try status([], wrapper: ["setpriv", "--bounding-set=-setpcap"])
        let bits = try #require(UInt64(fields["CapEff"] ?? "", radix: 16))
        #expect(bits & Self.administer == 0)
        #expect(fields["NoNewPrivs"] == "1")
    }

    @Test func `runs as the user asked for, by number or name`() throws {
        let byNumber = try status(["--user", "4711:4712"])
        #expect(byNumber["Uid"] == "4711\t4711\t4711\t4711")
        #expect(byNumber["Gid"] == "4712\t4712\t4712\t4712")
        #expect(byNumber["Groups"] == "4712")
        #expect(byNumber["CapEff"] == "0000000000000000")
        let byName = try status(["--user", "nobody"])
        #expect(byName["Uid"] == "65534\t65534\t65534\t65534")
        #expect(byName["Gid"] == "65534\t65534\t65534\t65534")
    }

    @Test func `has the groups that the image's group file gives its user, and no other`() throws {
        let directory = try TemporaryDirectory()
        try directory.write("app:x:4711:4711::/:/bin/sh\n", to: "passwd")
        try directory.write(
            "app:x:4711:\nvideo:x:44:app\naudio:x:29:else,app\nelse:x:77:application,else\n",
            to: "group"
        )
        // secure-init itself has one that nobody is to inherit.
        let wrapper = [
            "sh", "-c",
            "mount --bind \"$0/passwd\" /etc/passwd && mount --bind \"$0/group\" /etc/group"
                + " && exec setpriv --groups=0,99 \"$@\"",
            directory.path,
        ]
        func groups(_ options: [String]) throws -> Set<Substring> {
            let fields = try status(options, wrapper: wrapper)
            return Set((fields["Groups"] ?? "").split(separator: " "))
        }
        #expect(try groups(["--user", "app"]) == ["29", "44", "4711"])
        #expect(try groups(["--user", "4711"]) == ["29", "44", "4711"])
        #expect(try groups(["--user", "app:44"]) == ["44"])
        // The control.
        #expect(try groups([]) == ["0", "99"])
    }

    @Test func `has its user's home`() throws {
        let output = try InitProcess.run(
            ["--env-only", "--user", "daemon", "sh", "-c", "echo $HOME"],
            environment: ["HOME": "/root"]
        )
        #expect(output.text == "/usr/sbin\n")
    }

    @Test func `is not started as a user nobody knows`() throws {
        let output = try InitProcess.run(["--env-only", "--user", "nonesuch", "true"])
        #expect(output.status == 78)
        #expect(output.errorText.contains("user 'nonesuch' is not in the image's /etc/passwd"))
    }

    @Test func `runs where secure-init itself is nobody in particular`() throws {
        let directory = try TemporaryDirectory()
        try directory.write(Sample.password, to: "key", mode: 0o644)
        chmod(directory.path, 0o755)
        let output = try InitProcess.run(
            [
                "--env-only", "--key-source", "file:\(directory("key"))", "sh", "-c",
                "echo $TESTVAR; id -u",
            ],
            environment: ["ENCRYPTED_TESTVAR": Sample.value],
            wrapper: ["setpriv", "--reuid=4711", "--regid=4711", "--clear-groups"]
        )
        #expect(output.status == 0)
        #expect(output.text == "\(Sample.plaintext)\n4711\n")
    }

    @Test func `has the core limit it would have had`() throws {
        let output = try InitProcess.run(
            ["--env-only", "sh", "-c", "ulimit -Sc; ulimit -Hc"],
            wrapper: ["prlimit", "--core=4096:8192"]
        )
        // In blocks of 512 bytes.
        #expect(output.text == "8\n16\n")
    }

    @Test func `leads a process group of its own`() throws {
        let output = try InitProcess.run([
            "--env-only", "sh", "-c", "cut -d' ' -f1,5 /proc/$$/stat",
        ])
        let fields = output.text.split(whereSeparator: \.isWhitespace)
        #expect(fields.count == 2)
        #expect(fields.first == fields.last)
    }
}
