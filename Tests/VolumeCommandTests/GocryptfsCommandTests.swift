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

    private func fill() throws {
        try work.makePlain()
        try work.makeLongNames()
        try work.fill("storage")
    }

    @Test(.requires(.tool("gocryptfs"), .fuse), arguments: GocryptfsMode.all)
    func `make what gocryptfs checks, mounts and changes`(mode: GocryptfsMode) throws {
        try work.makeVolume("storage", mode.ours)
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
        try work.makeVolume("storage")
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
        let refused = try work.run(
            ["volume", "create", "storage", "--format", "gocryptfs", "--scrypt-cost", "10"]
        )
        #expect(refused.status == 64)
        #expect(refused.errorText.contains("generated keys only"), "\(refused.errorText)")
        #expect(!FileManager.default.fileExists(atPath: work.directory("storage")))
        #expect(try work("key", "new", "--out", "key", key: nil).status == 0)
        let made = try work.run(
            ["volume", "create", "storage", "--format", "gocryptfs", "--key-file", "key"],
            key: nil
        )
        #expect(made.status == 0, "\(made.errorText)")
        let info = try work("volume", "info", "storage", "--key-file", "key", "--json", key: nil)
        #expect(try work.object(info)["scrypt"] as? String == "N=2^10 r=8 p=1")
    }

    @Test func `refuse another key, and a volume that is there`() throws {
        try work.makeVolume("storage")
        let other = try work("volume", "ls", "storage", key: "another")
        #expect(other.status == 65, "\(other.errorText)")
        let again = try work("volume", "create", "storage", "--format", "gocryptfs")
        #expect(again.status == 73, "\(again.errorText)")
    }

    @Test func `give a volume another key, and keep no copy that the old one opens`() throws {
        try work.makeVolume("storage")
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
        let other = try work.run(
            ["volume", "passwd", "old", "--config", "encrypt.conf", "--new-key-file", "next"]
        )
        #expect(other.status == 0, "\(other.errorText)")
        #expect(try work("volume", "ls", "old", "--config", "encrypt.conf").status == 65)
        let opened = try work.run(
            ["volume", "ls", "old", "--config", "encrypt.conf"],
            key: "the next key"
        )
        #expect(opened.status == 0, "\(opened.errorText)")
    }

    @Test func `a wrong key changes no configuration`() throws {
        try work.makeVolume("storage")
        let before = try Data(contentsOf: work.url("storage/gocryptfs.conf"))
        try work.directory.write("next\n", to: "next")
        let passwd = try work("volume", "passwd", "storage", "--new-key-file", "next", key: "wrong")
        #expect(passwd.status == 65)
        #expect(try Data(contentsOf: work.url("storage/gocryptfs.conf")) == before)
    }
}
