import Foundation
import TestSupport
import Testing

/// One way to make a volume, in our words and in gocryptfs's.
struct GocryptfsMode: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let ours: [String]
    let theirs: [String]

    static let all = [
        GocryptfsMode(testDescription: "default", ours: ["--cipher", "aes-gcm"], theirs: []),
        GocryptfsMode(
            testDescription: "xchacha",
            ours: ["--cipher", "xchacha20-poly1305"],
            theirs: ["-xchacha"]
        ),
        GocryptfsMode(
            testDescription: "aessiv",
            ours: ["--cipher", "aes-siv"],
            theirs: ["-aessiv"]
        ),
        GocryptfsMode(
            testDescription: "deterministic names",
            ours: ["--deterministic-names"],
            theirs: ["-deterministic-names"]
        ),
        GocryptfsMode(
            testDescription: "plaintext names",
            ours: ["--plaintext-names"],
            theirs: ["-plaintextnames"]
        ),
        GocryptfsMode(
            testDescription: "longnamemax",
            ours: ["--longnamemax", "100"],
            theirs: ["-longnamemax", "100"]
        ),
        GocryptfsMode(
            testDescription: "xchacha, deterministic names",
            ours: ["--cipher", "xchacha20-poly1305", "--deterministic-names"],
            theirs: ["-xchacha", "-deterministic-names"]
        ),
        GocryptfsMode(
            testDescription: "aessiv, plaintext names",
            ours: ["--cipher", "aes-siv", "--plaintext-names"],
            theirs: ["-aessiv", "-plaintextnames"]
        ),
    ]
}

@Suite(.serialized, .requires(.executables))
struct `Volume commands, on gocryptfs's format` {
    private let work: Workplace

    init() throws {
        work = try Workplace()
    }

    private func create(_ options: [String] = []) throws {
        let output = try work.run(
            ["volume", "create", "storage", "--format", "gocryptfs"] + options
        )
        #expect(output.status == 0, "\(output.errorText)")
    }

    private func fill() throws {
        try work.makePlain()
        try work.makeLongNames()
        let output = try work("volume", "encrypt", "plain", "storage")
        #expect(output.status == 0, "\(output.errorText)")
    }

    @Test(.requires(.tool("gocryptfs"), .fuse), arguments: GocryptfsMode.all)
    func `make what gocryptfs checks, mounts and changes`(mode: GocryptfsMode) throws {
        try create(mode.ours)
        try fill()
        try work.gocryptfs("-fsck", "storage")
        try work.mounted("storage") { mount in
            #expect(try work.isSame("plain", mount))
            try Data("theirs".utf8).write(
                to: URL(fileURLWithPath: work.directory("\(mount)/folder/new"))
            )
        }
        let check = try work("volume", "check", "storage")
        #expect(check.status == 0, "\(check.text)\(check.errorText)")
        let cat = try work("volume", "cat", "storage", "folder/new")
        #expect(cat.text == "theirs", "\(cat.errorText)")
    }

    @Test(.requires(.tool("gocryptfs"), .fuse), arguments: GocryptfsMode.all)
    func `read and fill what gocryptfs made`(mode: GocryptfsMode) throws {
        try work.makePlain()
        try work.makeLongNames()
        try FileManager.default.createDirectory(
            atPath: work.directory("storage"),
            withIntermediateDirectories: false
        )
        try work.gocryptfs(["-init", "-scryptn", "10"] + mode.theirs + ["storage"])
        try work.mounted("storage") { mount in
            let copy = try Subprocess.run(
                "cp",
                ["-a", work.directory("plain/."), work.directory(mount)]
            )
            #expect(copy.status == 0, "\(copy.errorText)")
        }
        let decrypt = try work("volume", "decrypt", "storage", "again")
        #expect(decrypt.status == 0, "\(decrypt.errorText)")
        #expect(try work.isSame("plain", "again"))

        try work.directory.write("added", to: "more/\(String(repeating: "y", count: 255))")
        #expect(try work("volume", "encrypt", "more", "storage").status == 0)
        try work.gocryptfs("-fsck", "storage")
    }

    @Test func `list and say how a volume is made, and no secret`() throws {
        try create()
        try fill()
        let list = try work("volume", "ls", "-R", "storage")
        #expect(list.text.split(separator: "\n").contains("folder/big"), "\(list.text)")
        #expect(list.text.contains("link@"))
        let info = try work("volume", "info", "storage", "--json")
        let object = try work.object(info)
        #expect(object["format"] as? String == "gocryptfs v2")
        #expect(object["scrypt"] as? String == "N=2^16 r=8 p=1")
        #expect((object["features"] as? String)?.contains("HKDF") == true)
    }

    @Test func `lower the cost of an attempt for a generated key only`() throws {
        let refused = try work(
            "volume",
            "create",
            "storage",
            "--format",
            "gocryptfs",
            "--scrypt-cost",
            "10"
        )
        #expect(refused.status == 64)
        #expect(refused.errorText.contains("generated keys only"), "\(refused.errorText)")
        #expect(!FileManager.default.fileExists(atPath: work.directory("storage")))
        #expect(try work("key", "new", "--out", "key", key: nil).status == 0)
        let made = try work(
            "volume",
            "create",
            "storage",
            "--format",
            "gocryptfs",
            "--key-file",
            "key",
            key: nil
        )
        #expect(made.status == 0, "\(made.errorText)")
        let info = try work("volume", "info", "storage", "--key-file", "key", "--json", key: nil)
        #expect(try work.object(info)["scrypt"] as? String == "N=2^10 r=8 p=1")
    }

    @Test func `refuse another key, and a volume that is there`() throws {
        try create()
        let other = try work("volume", "ls", "storage", key: "another")
        #expect(other.status == 65, "\(other.errorText)")
        let again = try work("volume", "create", "storage", "--format", "gocryptfs")
        #expect(again.status == 73, "\(again.errorText)")
    }

    @Test func `give a volume another key, and keep no copy that the old one opens`() throws {
        try create()
        try fill()
        try work.directory.write("the next key\n", to: "next")
        let passwd = try work("volume", "passwd", "storage", "--new-key-file", "next")
        #expect(passwd.status == 0, "\(passwd.errorText)")
        #expect(try work("volume", "ls", "storage").status == 65)
        #expect(try work("volume", "ls", "storage", key: "the next key").status == 0)
        let stored = try FileManager.default.contentsOfDirectory(atPath: work.directory("storage"))
        #expect(stored.filter { $0.contains("conf") } == ["gocryptfs.conf"])
        // And a volume of rclone's format.
        try work.rcloneVolume()
        let other = try work(
            "volume",
            "passwd",
            "old",
            "--config",
            "encrypt.conf",
            "--new-key-file",
            "next"
        )
        #expect(other.status == 0, "\(other.errorText)")
        #expect(try work("volume", "ls", "old", "--config", "encrypt.conf").status == 65)
        let opened = try work(
            "volume",
            "ls",
            "old",
            "--config",
            "encrypt.conf",
            key: "the next key"
        )
        #expect(opened.status == 0, "\(opened.errorText)")
    }

    @Test func `a wrong key changes no configuration`() throws {
        try create()
        let before = try Data(contentsOf: work.url("storage/gocryptfs.conf"))
        try work.directory.write("next\n", to: "next")
        let passwd = try work("volume", "passwd", "storage", "--new-key-file", "next", key: "wrong")
        #expect(passwd.status == 65)
        #expect(try Data(contentsOf: work.url("storage/gocryptfs.conf")) == before)
    }
}

@Suite(.serialized, .requires(.executables))
struct `A volume's check` {
    private let work: Workplace

    init() throws {
        work = try Workplace()
        try work.makePlain()
        try work.makeLongNames()
        let made = try work(
            "volume",
            "create",
            "storage",
            "--format",
            "gocryptfs",
            "--plaintext-names"
        )
        try #require(made.status == 0, "\(made.errorText)")
    }

    private func check(_ storage: String = "storage") throws -> (Int32, [String], [String]) {
        let output = try work("volume", "check", storage, "--json")
        let object = try work.object(output)
        func paths(_ name: String) -> [String] {
            (object[name] as? [[String: String]] ?? []).compactMap { $0["path"] }
        }
        return (output.status, paths("damaged"), paths("undecodable"))
    }

    @Test func `finds nothing in a sound volume, and every file that is damaged`() throws {
        #expect(try work("volume", "encrypt", "plain", "storage").status == 0)
        // The negative control.
        #expect(try check() == (0, [], []))
        // With plain names, a stored file is easily found: a bit of the second block.
        try work.flip("storage/folder/big", at: 18 + 4128 + 100)
        try work.flip("storage/hello.txt", at: 0)
        let (status, damaged, undecodable) = try check()
        #expect(status == 26)
        #expect(damaged == ["folder/big", "hello.txt"])
        #expect(undecodable == [])
        let text = try work("volume", "check", "storage")
        #expect(text.status == 26)
        #expect(text.text.contains("damaged: folder/big: block 1 does not authenticate"))
        #expect(text.text.contains("2 DAMAGED"))
    }

    @Test func `finds a file that was cut off within a block`() throws {
        #expect(try work("volume", "encrypt", "plain", "storage").status == 0)
        let file = try FileHandle(forUpdating: work.url("storage/folder/big"))
        try file.truncate(atOffset: 18 + 4128 + 20)
        try file.close()
        #expect(try check() == (26, ["folder/big"], []))
    }

    @Test(.requires(.tool("gocryptfs"), .fuse))
    func `finds lost names and directories, as gocryptfs does`() throws {
        let made = try work("volume", "create", "names", "--format", "gocryptfs")
        #expect(made.status == 0, "\(made.errorText)")
        #expect(try work("volume", "encrypt", "plain", "names").status == 0)
        #expect(try check("names") == (0, [], []))
        let root = work.directory("names")
        let entries = try FileManager.default.contentsOfDirectory(atPath: root)
        let long = try #require(entries.first { $0.hasSuffix(".name") })
        try FileManager.default.removeItem(atPath: "\(root)/\(long)")
        let directory = try #require(
            entries.first {
                !$0.hasPrefix("gocryptfs.longname.")
                    && FileManager.default.fileExists(atPath: "\(root)/\($0)/gocryptfs.diriv")
            }
        )
        try FileManager.default.removeItem(atPath: "\(root)/\(directory)/gocryptfs.diriv")
        try work.directory.write("no name", to: "names/notes.txt")
        let (status, damaged, undecodable) = try check("names")
        #expect(status == 26)
        #expect(damaged.count == 1)
        #expect(Set(undecodable) == [String(long.dropLast(5)), "notes.txt"])
        let fsck = try work.gocryptfs(["-fsck", "names"], expecting: 26)
        #expect(fsck.status == 26)
    }
}

@Suite(.serialized, .requires(.executables))
struct `A volume's migration` {
    private let work: Workplace

    init() throws {
        work = try Workplace()
        try work.makePlain()
        try work.makeLongNames(80)
    }

    @Test func `goes from rclone to gocryptfs and back, and leaves its source alone`() throws {
        try work.rcloneVolume()
        #expect(
            try work("volume", "encrypt", "plain", "old", "--config", "encrypt.conf").status == 0
        )
        let before = try work.digests("old")
        let there = try work(
            "volume",
            "migrate",
            "old",
            "new",
            "--config",
            "encrypt.conf",
            "--format",
            "gocryptfs"
        )
        #expect(there.status == 0, "\(there.errorText)")
        #expect(try work.digests("old") == before)
        #expect(try work("volume", "check", "new").status == 0)
        #expect(try work("volume", "decrypt", "new", "again").status == 0)
        #expect(try work.isSame("plain", "again"))

        let back = try work(
            "volume",
            "migrate",
            "new",
            "third",
            "--format",
            "rclone",
            "--target-config",
            "third.conf"
        )
        #expect(back.status == 0, "\(back.errorText)")
        let decrypt = try work("volume", "decrypt", "third", "thrice", "--config", "third.conf")
        #expect(decrypt.status == 0, "\(decrypt.errorText)")
        #expect(try work.isSame("plain", "thrice"))
    }

    @Test func `goes on where it was stopped, and says what it could not copy`() throws {
        let made = try work("volume", "create", "old", "--format", "gocryptfs", "--plaintext-names")
        #expect(made.status == 0, "\(made.errorText)")
        #expect(try work("volume", "encrypt", "plain", "old").status == 0)
        let sound = try Data(contentsOf: work.url("old/folder/big"))
        let modified = try work.modified("old/folder/big")
        try work.flip("old/folder/big", at: 18 + 20)
        let first = try work("volume", "migrate", "old", "new", "--format", "gocryptfs", "--json")
        #expect(first.status == 65, "\(first.errorText)")
        #expect(first.errorText.contains("folder/big"))
        try sound.write(to: work.url("old/folder/big"))
        try FileManager.default.setAttributes(
            [.modificationDate: modified],
            ofItemAtPath: work.directory("old/folder/big")
        )
        let second = try work("volume", "migrate", "old", "new", "--format", "gocryptfs", "--json")
        #expect(second.status == 0, "\(second.errorText)")
        let object = try work.object(second)
        #expect(object["files"] as? Int == 1)
        #expect((object["unchanged"] as? Int ?? 0) > 1)
        #expect(try work("volume", "decrypt", "new", "again").status == 0)
        #expect(try work.isSame("plain", "again"))
    }
}

@Suite(.serialized, .requires(.executables))
struct `A master key on paper` {
    private let work: Workplace

    init() throws {
        work = try Workplace()
        try work.makePlain()
        let made = try work(
            "volume",
            "create",
            "storage",
            "--format",
            "gocryptfs",
            "--cipher",
            "xchacha20-poly1305"
        )
        try #require(made.status == 0, "\(made.errorText)")
        try #require(try work("volume", "encrypt", "plain", "storage").status == 0)
    }

    private func export() throws -> String {
        let output = try work("volume", "export", "storage", "--yes")
        #expect(output.status == 0, "\(output.errorText)")
        return output.text
    }

    @Test func `is not written where it could be kept by mistake`() throws {
        let output = try work("volume", "export", "storage")
        #expect(output.status == 64)
        #expect(output.text.isEmpty)
        #expect(try export().filter(\.isHexDigit).count == 64)
        try work.rcloneVolume()
        let other = try work("volume", "export", "old", "--config", "encrypt.conf", "--yes")
        #expect(other.status == 64, "\(other.errorText)")
    }

    @Test(.requires(.tool("gocryptfs"), .fuse))
    func `opens the volume with gocryptfs, without the key`() throws {
        let paper = try export().trimmingCharacters(in: .newlines)
        let output = try Subprocess.run(
            "gocryptfs",
            ["-fsck", "-q", "-xchacha", "-masterkey", paper, work.directory("storage")]
        )
        #expect(output.status == 0, "\(output.text)\(output.errorText)")
    }

    @Test func `gives a volume a configuration again, whose own is lost`() throws {
        try work.directory.write(try export(), to: "paper")
        try work.directory.write("new key\n", to: "next")
        try FileManager.default.removeItem(atPath: work.directory("storage/gocryptfs.conf"))
        // Made in another way, the same master key opens nothing: nothing is written.
        let wrong = try work(
            "volume",
            "recover",
            "storage",
            "--master-key-file",
            "paper",
            "--new-key-file",
            "next",
            "--cipher",
            "aes-gcm",
            key: nil
        )
        #expect(wrong.status == 65, "\(wrong.errorText)")
        #expect(!FileManager.default.fileExists(atPath: work.directory("storage/gocryptfs.conf")))
        let right = try work(
            "volume",
            "recover",
            "storage",
            "--master-key-file",
            "paper",
            "--new-key-file",
            "next",
            "--cipher",
            "xchacha20-poly1305",
            key: nil
        )
        #expect(right.status == 0, "\(right.errorText)")
        #expect(try work("volume", "check", "storage", key: "new key").status == 0)
    }

    @Test func `opens a volume again whose key is lost, and keeps the old configuration`() throws {
        try work.directory.write(try export(), to: "paper")
        try work.directory.write("new key\n", to: "next")
        let output = try work(
            "volume",
            "recover",
            "storage",
            "--master-key-file",
            "paper",
            "--new-key-file",
            "next",
            key: nil
        )
        #expect(output.status == 0, "\(output.errorText)")
        #expect(try work("volume", "decrypt", "storage", "again", key: "new key").status == 0)
        #expect(try work.isSame("plain", "again"))
        let old = work.directory("storage/gocryptfs.conf.bak")
        #expect(try work("volume", "info", "storage", "--config", old).status == 0)
        try work.directory.write(String(repeating: "0", count: 64), to: "paper")
        let wrong = try work(
            "volume",
            "recover",
            "storage",
            "--master-key-file",
            "paper",
            "--new-key-file",
            "next",
            key: nil
        )
        #expect(wrong.status == 65, "\(wrong.errorText)")
        #expect(wrong.errorText.contains("opens nothing"))
    }
}
