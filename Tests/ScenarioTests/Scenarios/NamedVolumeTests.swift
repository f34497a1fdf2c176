import Foundation
import TestSupport
import Testing

/// The fourth way: a named volume that outlives its containers.
@Suite(.requires(.docker, .executables, .fuse, .tool("busybox")))
struct `A named volume` {
    private let image: Image
    private let volume = NamedVolume()

    init() throws {
        image = try Image.entrypoint(
            .scratch,
            [
                "--key-source", "env:KEY", "--storage", "/data/storage",
                "--mount", "/decrypted", "--",
            ]
        )
    }

    private func run(key: String, _ script: String) throws -> Subprocess.Output {
        try Docker.run(
            ["run", "--rm"] + fuseOptions + [
                "--volume", "\(volume.name):/data", "--env", "KEY=\(key)", image.name,
                "sh", "-c", script,
            ]
        )
    }

    @Test func `is created by the first start and read by the next`() throws {
        let first = try run(
            key: "a right key",
            "mkdir /decrypted/notes && echo precious-content > /decrypted/notes/precious-name"
        )
        #expect(first.status == 0, "\(first.errorText)")

        let second = try run(key: "a right key", "cat /decrypted/notes/precious-name")
        #expect(second.text == "precious-content\n", "\(second.errorText)")
        #expect(second.status == 0)
    }

    @Test func `holds neither contents nor names in clear`() throws {
        let output = try run(
            key: "a right key",
            "echo precious-content > /decrypted/precious-name"
        )
        #expect(output.status == 0, "\(output.errorText)")

        let files = try volume.files()
        #expect(files.keys.contains("storage/gocryptfs.conf"))
        let content = files.keys.filter { $0.hasPrefix("storage/") && !$0.contains("gocryptfs.") }
        #expect(content.count == 1, "the file is there, encrypted")
        for (path, contents) in files {
            let text = String(decoding: contents, as: UTF8.self)
            #expect(!path.contains("precious"))
            #expect(!text.contains("precious"), "\(path)")
            #expect(!text.contains("a right key"), "\(path)")
        }
    }

    @Test func `stays as it is under a wrong key`() throws {
        #expect(try run(key: "a right key", "echo kept > /decrypted/file").status == 0)
        let before = try volume.files()

        let output = try run(key: "a wrong key", "echo started; echo lost > /decrypted/file")

        #expect(output.status == 65)
        #expect(output.text == "", "the command did not start")
        #expect(!output.errorText.contains("a wrong key"))
        #expect(try volume.files() == before)
        let again = try run(key: "a right key", "cat /decrypted/file")
        #expect(again.text == "kept\n", "\(again.errorText)")
    }

    @Test func `keeps what was written up to a stop`() throws {
        let writer = try Container(
            image.name,
            options: fuseOptions + [
                "--volume", "\(volume.name):/data", "--env", "KEY=a right key",
            ],
            ["sh", "-c", "exec >/decrypted/log; echo last words; echo begun >&2; sleep 600"]
        )
        #expect(writer.waitForLog(containing: "begun"), "\(writer.log)")
        #expect(try writer.stop().code == 143)

        #expect(try run(key: "a right key", "cat /decrypted/log").text == "last words\n")
    }
}
