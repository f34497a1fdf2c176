import Cryptography
import Foundation
import TestSupport
import Testing
import VolumeFormat

/// Debian's rclone and the mount read what the other wrote.
@Suite(.requires(.fuse, .tool("rclone")))
struct InteroperabilityTests {
    struct Mode: CustomTestStringConvertible {
        var names = NameEncryption.standard
        var encoding = NameEncoding.base32
        var directoryNames = true
        var password2 = false

        var testDescription: String {
            "\(names) \(encoding) \(directoryNames) \(password2)"
        }
    }

    static let modes: [Mode] = [
        Mode(), Mode(encoding: .base64), Mode(encoding: .base32768),
        Mode(directoryNames: false), Mode(password2: true), Mode(names: .obfuscate),
        Mode(names: .obfuscate, directoryNames: false), Mode(names: .off),
    ]

    @Test(arguments: modes)
    func `rclone reads what the mount wrote, and the reverse`(mode: Mode) throws {
        let volume = try makeVolume(mode)
        let contents = self.contents(mode)
        for (path, content) in contents {
            let url = URL(fileURLWithPath: volume(path))
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(),
                withIntermediateDirectories: true
            )
            try content.write(to: url)
        }
        try FileManager.default.createSymbolicLink(
            atPath: volume("a link"),
            withDestinationPath: "target/of it"
        )

        // While it is mounted: what was closed is stored.
        let copy = volume.directory("copy")
        try rclone(volume, ["copy", "--links", "encrypted_storage:", copy])
        for (path, content) in contents {
            let found = try Data(contentsOf: URL(fileURLWithPath: copy + "/" + path))
            #expect(found == content, "\(path)")
        }
        #expect(
            try FileManager.default.destinationOfSymbolicLink(atPath: copy + "/a link")
                == "target/of it"
        )
        #expect(try files(below: copy).count == contents.count + 1)

        // The reverse, into an empty storage.
        try volume.unmount()
        try FileManager.default.removeItem(atPath: volume.storage)
        try FileManager.default.createDirectory(
            atPath: volume.storage,
            withIntermediateDirectories: false
        )
        try rclone(volume, ["copy", "--links", copy, "encrypted_storage:"])
        try volume.mount()
        for (path, content) in contents {
            let found = try Data(contentsOf: URL(fileURLWithPath: volume(path)))
            #expect(found == content, "\(path)")
        }
        #expect(
            try FileManager.default.destinationOfSymbolicLink(atPath: volume("a link"))
                == "target/of it"
        )
        #expect(try files(below: volume.mountPoint).count == contents.count + 1)

        // And a change of what rclone wrote.
        let path = volume("sizes/s65537")
        let file = open(path, O_RDWR | O_CLOEXEC)
        #expect(pwrite(file, "changed", 7, 65_533) == 7)
        close(file)
        try rclone(volume, ["copy", "encrypted_storage:sizes", volume.directory("again")])
        var expected = try #require(contents["sizes/s65537"])
        expected.replaceSubrange(65_533..<65_537, with: Data("changed".utf8))
        #expect(
            try Data(contentsOf: URL(fileURLWithPath: volume.directory("again/s65537")))
                == expected
        )
        #expect(try volume.unmount().contains("not listed") == false)
    }

    @Test func `a configuration made on first start is one that rclone reads`() throws {
        let volume = try MountedVolume()
        try Data("content".utf8).write(to: URL(fileURLWithPath: volume("name")))
        let output = try rclone(volume, ["cat", "encrypted_storage:name"])
        #expect(output.text == "content")
        try volume.unmount()
    }

    /// Some three hundred names and the sizes around every boundary.
    private func contents(_ mode: Mode) -> [String: Data] {
        var contents: [String: Data] = [:]
        for size in [
            0, 1, 15, 16, 17, 4095, 4096, 4097, 65_535, 65_536, 65_537, 131_072, 3_000_001,
        ] {
            contents["sizes/s\(size)"] = Data((0..<size).map { UInt8(truncatingIfNeeded: $0 / 7) })
        }
        let longest = mode.names == .standard && mode.encoding == .base32 ? 143 : 120
        for length in 1...longest {
            contents["lengths/" + String(repeating: "n", count: length)] = Data([UInt8(length)])
        }
        let odd = [
            "ünïcödé", "日本語", "Ελληνικά", "🎉🎊", "with space", ".hidden", "...", "-dash", "a.b.c",
            "100%", "~tilde", "'quoted'", "\"double\"", "semi;colon", "star*", "question?", "pipe|",
            "less<more>", "colon:", "back\\slash", "e\u{301}", "UPPER", "upper",
            " leading", "trailing ", "trailing.", "v-v2001-02-03-040506-123.txt", "!", "#", "[x]",
        ]
        for (index, name) in odd.enumerated() {
            contents["odd/\(name)"] = Data("\(index)".utf8)
            // rclone finds no directory whose name has a version in it: see `docs/formats.md`.
            if name.contains("-v2001") { continue }
            contents["odd directories/\(name)/in it"] = Data("\(index)".utf8)
        }
        for index in 0..<80 {
            let name = String(
                (0..<1 + index % 40).map { offset in
                    Character(UnicodeScalar(UInt8(0x61 + (index * 7 + offset * 3) % 26)))
                }
            )
            contents["many/\(index)-\(name)"] = Data(name.utf8)
        }
        return contents
    }

    private func makeVolume(_ mode: Mode) throws -> MountedVolume {
        let directory = try TemporaryDirectory()
        let volume = try RcloneVolumeConfiguration.new(
            nameEncryption: mode.names,
            nameEncoding: mode.encoding,
            directoryNames: mode.directoryNames,
            password2: mode.password2
        )
        let bytes = try volume.configuration.encrypted(
            password: SecretBytes(copying: MountedVolume.key.utf8)
        )
        try directory.write(bytes, to: "encrypt.conf")
        try FileManager.default.createDirectory(
            atPath: directory("storage"),
            withIntermediateDirectories: false
        )
        return try MountedVolume(in: directory)
    }

    @discardableResult
    private func rclone(
        _ volume: MountedVolume,
        _ arguments: [String]
    ) throws -> Subprocess.Output {
        var environment = ProcessInfo.processInfo.environment
        environment["RCLONE_CONFIG_PASS"] = MountedVolume.key
        // What the configuration calls `storage` is a directory beside it.
        let output = try Subprocess.run(
            "rclone",
            ["--config", volume.configuration] + arguments,
            environment: environment,
            directory: volume.directory.path,
            timeout: 120
        )
        guard output.status == 0 else { throw MountedVolume.Failure(output.errorText) }
        return output
    }

    private func files(below path: String) throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: path).filter { name in
            var status = stat()
            return lstat(path + "/" + name, &status) == 0 && status.st_mode & S_IFMT != S_IFDIR
        }
    }
}
