import CryptFS
import Cryptography
import Foundation
import TestSupport
import Testing
import VolumeFormat

@Suite
struct OpeningTests {
    private let key = SecretBytes(copying: "the right key".utf8)
    private let creating = VolumeOptions(createsIfEmpty: true, format: .rclone)

    @Test func `a new volume is made where there is nothing, and opens again`() throws {
        let directory = try TemporaryDirectory()
        let location = location(in: directory)
        #expect(try Volume.open(location, key: key, options: creating).isNew)
        let mode = try FileManager.default.attributesOfItem(atPath: directory("conf"))[
            .posixPermissions
        ]
        #expect(mode as? Int == 0o600)
        #expect(try !Volume.open(location, key: key, options: creating).isNew)
        #expect(try !Volume.open(location, key: key).isNew)
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: directory.path).sorted()
                == ["conf", "storage"]
        )
    }

    @Test func `a wrong key is told apart and changes nothing`() throws {
        let directory = try TemporaryDirectory()
        _ = try Volume.open(location(in: directory), key: key, options: creating)
        try directory.write("left over", to: "storage/\(draftName)")
        let before = try directory.read("conf")
        expect(
            65,
            "the key does not decrypt \(directory("conf")): another volume's key, or the file "
                + "was changed"
        ) {
            try Volume.open(
                location(in: directory),
                key: SecretBytes(copying: "wrong".utf8),
                options: creating
            )
        }
        #expect(try directory.read("conf") == before)
        #expect(try directory.read("storage/\(draftName)") == Array("left over".utf8))
    }

    @Test func `a storage with content and no configuration is not overwritten`() throws {
        let directory = try TemporaryDirectory()
        try directory.write("something", to: "storage/file")
        expect(
            78,
            "no volume configuration at \(directory("conf")), but \(directory("storage")) is "
                + "not empty: name the configuration with --config; a new one would not decrypt "
                + "what is there"
        ) { try Volume.open(location(in: directory), key: key, options: creating) }
        #expect(!FileManager.default.fileExists(atPath: directory("conf")))
    }

    @Test func `nothing is made unless it is wanted`() throws {
        let directory = try TemporaryDirectory()
        expect(78, "no volume configuration at \(directory("conf")), and") {
            try Volume.open(location(in: directory), key: key)
        }
        var readOnly = creating
        readOnly.isReadOnly = true
        expect(78, "no volume configuration at") {
            try Volume.open(location(in: directory), key: key, options: readOnly)
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path).isEmpty)
    }

    @Test func `bad configurations are refused, each with its reason`() throws {
        let directory = try TemporaryDirectory()
        for (content, message) in [
            ("", "is not encrypted"), ("[c]\ntype = crypt\n", "is not encrypted"),
            ("RCLONE_ENCRYPT_V0:\nAAAA", "not whole base64"),
            ("RCLONE_ENCRYPT_V9:\nAAAA", "other than RCLONE_ENCRYPT_V0"),
            (String(repeating: "x", count: 70_000), "longer than"),
        ] {
            try directory.write(content, to: "conf")
            expect(78, message) {
                try Volume.open(location(in: directory), key: key, options: creating)
            }
        }
        #expect(!FileManager.default.fileExists(atPath: directory("storage")))
    }

    @Test(.requires(.tool("rclone")))
    func `an option that is not supported is named`() throws {
        let directory = try TemporaryDirectory()
        let text =
            "[c]\ntype = crypt\nremote = x\npassword = \(try obscured("pw"))\n"
            + "pass_bad_blocks = true\n"
        let configuration = try RcloneConfiguration(
            parsing: SecretBytes(copying: text.utf8)
        )
        try directory.write(try configuration.encrypted(password: key), to: "conf")
        try FileManager.default.createDirectory(
            atPath: directory("storage"),
            withIntermediateDirectories: false
        )
        expect(78, "pass_bad_blocks") {
            try Volume.open(location(in: directory), key: key)
        }
    }

    @Test func `a storage that is not there, or no directory, is an error`() throws {
        let directory = try TemporaryDirectory()
        _ = try Volume.open(location(in: directory), key: key, options: creating)
        let missing = VolumeLocation(
            storage: directory("elsewhere"),
            configuration: directory("conf")
        )
        expect(78, "no storage directory at \(directory("elsewhere"))") {
            try Volume.open(missing, key: key)
        }
        try directory.write("", to: "elsewhere")
        expect(78, "\(directory("elsewhere")) is not a directory") {
            try Volume.open(missing, key: key)
        }
    }

    @Test func `a storage that is not there is made for a configuration that is`() throws {
        let directory = try TemporaryDirectory()
        _ = try Volume.open(location(in: directory), key: key, options: creating)
        try FileManager.default.removeItem(atPath: directory("storage"))
        #expect(try !Volume.open(location(in: directory), key: key, options: creating).isNew)
        #expect(FileManager.default.fileExists(atPath: directory("storage")))
    }

    @Test func `only one may write, others may read`() throws {
        let directory = try TemporaryDirectory()
        let writer = try Volume.open(location(in: directory), key: key, options: creating)
        expect(
            78,
            "has \(directory("storage")) open for writing: stop it, or mount read-only"
        ) { try Volume.open(location(in: directory), key: key) }
        let reader = try Volume.open(
            location(in: directory),
            key: key,
            options: VolumeOptions(isReadOnly: true)
        )
        #expect(reader.isReadOnly && !writer.isReadOnly)
    }

    @Test func `drafts of a crash are removed, and nothing else`() throws {
        let directory = try TemporaryDirectory()
        _ = try Volume.open(location(in: directory), key: key, options: creating)
        let others = [
            ".secure-store-", ".secure-store-0123.draft", draftName + "x", "x" + draftName,
            draftName.uppercased(), draftName.replacingOccurrences(of: "0", with: "g"),
        ]
        for name in others + [draftName] { try directory.write("x", to: "storage/\(name)") }
        try FileManager.default.createDirectory(
            atPath: directory("storage/" + draftName.replacingOccurrences(of: "0", with: "1")),
            withIntermediateDirectories: false
        )
        _ = try Volume.open(
            location(in: directory),
            key: key,
            options: VolumeOptions(isReadOnly: true)
        )
        #expect(FileManager.default.fileExists(atPath: directory("storage/\(draftName)")))
        _ = try Volume.open(location(in: directory), key: key)
        let left = try FileManager.default.contentsOfDirectory(atPath: directory("storage"))
        #expect(!left.contains(draftName))
        #expect(Set(others).isSubset(of: left) && left.count == others.count + 1)
    }

    private let draftName = ".secure-store-" + String(repeating: "0", count: 32) + ".draft"

    private func location(in directory: TemporaryDirectory) -> VolumeLocation {
        VolumeLocation(storage: directory("storage"), configuration: directory("conf"))
    }

    private func obscured(_ password: String) throws -> String {
        try Subprocess.run("rclone", ["obscure", password]).text
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }

    private func expect(_ code: Int32, _ message: String, _ body: () throws -> Volume) {
        do {
            _ = try body()
            Issue.record("no error, expected \(code): \(message)")
        } catch let error as VolumeError {
            #expect(error.exitCode == code, "\(error)")
            #expect(error.description.contains(message), "\(error)")
        } catch {
            Issue.record(error)
        }
    }
}
