import Cryptography
import Foundation
import KeyServer
import TestSupport
import Testing

@Suite struct `A file of the state directory` {
    private let directory: TemporaryDirectory
    private let contents = SecretBytes(copying: "secret".utf8)

    init() throws { directory = try TemporaryDirectory() }

    private func mode(_ path: String) throws -> Int {
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        return try #require(attributes[.posixPermissions] as? Int)
    }

    @Test func `has the wanted mode whatever the umask`() throws {
        let previous = umask(0o077)
        defer { umask(previous) }
        try StateFile.create(directory("public"), contents: contents, mode: 0o644)
        umask(0)
        try StateFile.create(directory("private"), contents: contents, mode: 0o600)
        #expect(try mode(directory("public")) == 0o644)
        #expect(try mode(directory("private")) == 0o600)
        #expect(try StateFile.names(in: directory.path) == ["private", "public"])
    }

    @Test func `is not replaced unless asked`() throws {
        let path = directory("key")
        try StateFile.create(path, contents: contents, mode: 0o600)
        #expect(throws: KeyServerError.exists(path: path)) {
            try StateFile.create(path, contents: SecretBytes(copying: [1]), mode: 0o600)
        }
        #expect(try StateFile.read(path).isEqual(to: contents))
        #expect(try StateFile.names(in: directory.path) == ["key"])
        let other = SecretBytes(copying: [2])
        try StateFile.create(path, contents: other, mode: 0o600, replacing: true)
        #expect(try StateFile.read(path).isEqual(to: other))
        #expect(try StateFile.names(in: directory.path) == ["key"])
    }

    @Test(.requires(.root)) func `stays its owner's when it is replaced`() throws {
        let path = directory("server-key.pem")
        try StateFile.create(path, contents: contents, mode: 0o600)
        try #require(chown(path, 4711, 4712) == 0)
        try StateFile.create(path, contents: contents, mode: 0o600, replacing: true)
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        #expect(attributes[.ownerAccountID] as? Int == 4711)
        #expect(attributes[.groupOwnerAccountID] as? Int == 4712)
        #expect(try mode(path) == 0o600)
    }

    @Test func `is not written through a symbolic link`() throws {
        try directory.write("keep", to: "target")
        symlink(directory("target"), directory("link"))
        #expect(throws: KeyServerError.exists(path: directory("link"))) {
            try StateFile.create(directory("link"), contents: contents, mode: 0o600)
        }
        try StateFile.create(directory("link"), contents: contents, mode: 0o600, replacing: true)
        #expect(try directory.read("target") == Array("keep".utf8))
    }

    @Test(arguments: [0, 1, 16_383, 16_384, 16_385, 50_000])
    func `is read whole, and refused beyond its limit`(count: Int) throws {
        let path = try directory.write([UInt8](repeating: 7, count: count), to: "file")
        #expect(try StateFile.read(path, limit: count).count == count)
        if count > 0 {
            #expect(throws: KeyServerError.fileTooLarge(path: path, limit: count - 1)) {
                try StateFile.read(path, limit: count - 1)
            }
        }
    }

    @Test func `that is missing is named`() {
        #expect {
            try StateFile.read(directory("none"))
        } throws: { error in
            "\(error)" == "cannot open \(directory("none")): No such file or directory"
        }
    }
}
