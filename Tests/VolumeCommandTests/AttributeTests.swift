import Foundation
import Linux
import TestSupport
import Testing

@Suite(.serialized, .requires(.executables))
struct `A tree's extended attributes` {
    private let work: Workplace

    init() throws {
        work = try Workplace()
        try work.makePlain()
        try work.setAttribute("user.note", "of a file", of: "plain/hello.txt")
        try work.setAttribute("user.empty", "", of: "plain/hello.txt")
        try work.setAttribute("user.ü", String(repeating: "long ", count: 500), of: "plain/folder")
        // One named user may read: what `setfacl -m u:1234:r` writes.
        try work.setAttribute(
            "system.posix_acl_access",
            [
                2, 0, 0, 0,
                1, 0, 6, 0, 255, 255, 255, 255,
                2, 0, 4, 0, 210, 4, 0, 0,
                4, 0, 4, 0, 255, 255, 255, 255,
                16, 0, 4, 0, 255, 255, 255, 255,
                32, 0, 4, 0, 255, 255, 255, 255,
            ],
            of: "plain/folder/big"
        )
        try work.makeVolume("storage", ["--plaintext-names"])
        try work.fill("storage")
    }

    private static let paths = ["hello.txt", "folder", "folder/big"]

    private func attributes(_ root: String) throws -> [String: [String: [UInt8]]] {
        var all: [String: [String: [UInt8]]] = [:]
        for path in Self.paths { all[path] = try work.attributes(of: "\(root)/\(path)") }
        return all
    }

    private func areSame(_ root: String) throws -> Bool {
        try attributes(root) == attributes("plain")
    }

    @Test func `come back as they were, by way of another volume too`() throws {
        let plain = try attributes("plain")
        #expect(plain["hello.txt"]?.count == 2 && plain["folder/big"]?.count == 1)
        #expect(try work("volume", "decrypt", "storage", "again").status == 0)
        #expect(try attributes("again") == plain)
        let migrated = try work("volume", "migrate", "storage", "new", "--format", "gocryptfs")
        #expect(migrated.status == 0, "\(migrated.errorText)")
        #expect(try work("volume", "decrypt", "new", "thrice").status == 0)
        #expect(try attributes("thrice") == plain)
    }

    @Test func `are sealed in the storage, but for access control lists`() throws {
        let stored = try attributes("storage")
        let names = stored["hello.txt"]?.keys.sorted() ?? []
        #expect(names.count == 2 && names.allSatisfy { $0.hasPrefix("user.gocryptfs.") })
        let values = stored["hello.txt"]?.values.map { String(decoding: $0, as: UTF8.self) } ?? []
        #expect(!values.contains { $0.contains("file") })
        #expect(stored["folder/big"]?.keys.sorted() == ["system.posix_acl_access"])
    }

    @Test(.requires(.tool("gocryptfs"), .fuse)) func `are the same to gocryptfs`() throws {
        try work.mounted("storage") { mount in
            let isSame = try areSame(mount)
            #expect(isSame)
        }
    }

    @Test func `follow a change of nothing else`() throws {
        try work.setAttribute("user.note", "changed", of: "plain/hello.txt")
        try work.removeAttribute("user.empty", of: "plain/hello.txt")
        try work.setAttribute("user.new", "new", of: "plain/folder/big")
        let output = try work("volume", "encrypt", "plain", "storage", "--json")
        let object = try work.object(output)
        #expect(object["files"] as? Int == 0 && object["unchanged"] as? Int == 3)
        #expect(try work("volume", "decrypt", "storage", "again").status == 0)
        #expect(try areSame("again"))
        // The other way: a folder that is there already.
        try work.setAttribute("user.note", "last", of: "plain/hello.txt")
        try work.fill("storage")
        #expect(try !areSame("again"))
        #expect(try work("volume", "decrypt", "storage", "again").status == 0)
        #expect(try areSame("again"))
    }

    @Test func `are counted where the target keeps none`() throws {
        let output = try work.fillRcloneVolume()
        #expect(output.status == 0)
        #expect(try work.object(output)["attributes_lost"] as? Int == 3)
        #expect(output.errorText.contains("3 entries had extended attributes, which the target"))
    }

    @Test func `that are damaged are told, and cost nothing else`() throws {
        let stored = try work.attributes(of: "storage/hello.txt")
        let (name, value) = try #require(stored.max { $0.value.count < $1.value.count })
        var damaged = value
        damaged[damaged.count - 1] ^= 1
        try work.setAttribute(name, damaged, of: "storage/hello.txt")
        try work.flip("storage/hello.txt", at: 18 + 20)
        let check = try work("volume", "check", "storage")
        #expect(check.status == 26)
        #expect(check.text.contains("damaged: hello.txt: block 0 does not authenticate"))
        // A file's first damage does not hide the next.
        #expect(check.text.components(separatedBy: "damaged: hello.txt").count == 3)
        try work.flip("storage/hello.txt", at: 18 + 20)

        let output = try work("volume", "decrypt", "storage", "again")
        #expect(output.status == 65)
        #expect(output.errorText.contains("hello.txt: not all of its extended attributes are"))
        #expect(try work.isSame("plain", "again"))
        var left = try attributes("plain")
        left["hello.txt"]?["user.note"] = nil
        #expect(try attributes("again") == left)
    }
}

extension Workplace {
    func setAttribute(_ name: String, _ value: [UInt8], of path: String) throws {
        try withAttribute(name, of: path) { name, file throws in
            try value.withUnsafeBytes {
                try ExtendedAttribute.write(name, of: file, $0, flags: 0)
            }
        }
    }

    func setAttribute(_ name: String, _ value: String, of path: String) throws {
        try setAttribute(name, Array(value.utf8), of: path)
    }

    func removeAttribute(_ name: String, of path: String) throws {
        try withAttribute(name, of: path) { name, file throws in
            try ExtendedAttribute.remove(name, of: file)
        }
    }

    /// All of them, by name.
    func attributes(of path: String) throws -> [String: [UInt8]] {
        let file = try FileCall.open(path: directory(path), .readOnly)
        let number = file.rawValue
        var buffer = [UInt8](repeating: 0, count: ExtendedAttribute.maximumCount)
        let count = try buffer.withUnsafeMutableBytes {
            try ExtendedAttribute.list(of: number, into: $0)
        }
        var attributes: [String: [UInt8]] = [:]
        for bytes in buffer[..<count].split(separator: 0) {
            let name = try #require(FileName(bytes))
            let count = try buffer.withUnsafeMutableBytes {
                try ExtendedAttribute.read(name, of: number, into: $0)
            }
            attributes[name.description] = Array(buffer[..<count])
        }
        return attributes
    }

    private func withAttribute(
        _ name: String,
        of path: String,
        _ body: (FileName, Int32) throws -> Void
    ) throws {
        let file = try FileCall.open(path: directory(path), .readOnly)
        try body(#require(FileName(name.utf8)), file.rawValue)
    }
}
