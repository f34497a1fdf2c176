import Foundation
import TestSupport
import Testing

extension Workplace {
    /// Makes a volume of gocryptfs's format.
    func makeVolume(_ storage: String, _ options: [String] = []) throws {
        let made = try run(["volume", "create", storage, "--format", "gocryptfs"] + options)
        try #require(made.status == 0, "\(made.errorText)")
    }

    /// Encrypts `plain` into a volume.
    func fill(_ storage: String) throws {
        let output = try self("volume", "encrypt", "plain", storage)
        try #require(output.status == 0, "\(output.errorText)")
    }

    func url(_ path: String) -> URL { URL(fileURLWithPath: directory(path)) }

    /// Files, folders and links of names that do not fit an entry.
    func makeLongNames(_ count: Int = 250) throws {
        let name = { (letter: Character) in String(repeating: letter, count: count) }
        try directory.write("long", to: "plain/\(name("f"))")
        try directory.write("deep", to: "plain/\(name("d"))/inner")
        try FileManager.default.createSymbolicLink(
            atPath: directory("plain/\(name("l"))"),
            withDestinationPath: name("t")
        )
    }

    /// Makes a volume of rclone's format in `old`.
    func rcloneVolume() throws {
        let made = try self.run(
            ["volume", "create", "old", "--format", "rclone", "--config", "encrypt.conf"]
        )
        #expect(made.status == 0, "\(made.errorText)")
    }

    /// Encrypts `plain` into a new volume of rclone's format, `old`.
    ///
    /// - Returns: What came of it, as JSON.
    func fillRcloneVolume() throws -> Subprocess.Output {
        try rcloneVolume()
        return try self.run(
            ["volume", "encrypt", "plain", "old", "--config", "encrypt.conf", "--json"]
        )
    }

    /// scrypt's N, as `storage/gocryptfs.conf` has it.
    func scryptCost() throws -> Int {
        let file = try Data(contentsOf: url("storage/gocryptfs.conf"))
        let made = try JSONSerialization.jsonObject(with: file) as? [String: Any]
        return try #require((made?["ScryptObject"] as? [String: Any])?["N"] as? Int)
    }

    @discardableResult
    func gocryptfs(_ arguments: String...) throws -> Subprocess.Output {
        try gocryptfs(arguments)
    }

    @discardableResult
    func gocryptfs(_ arguments: [String], expecting status: Int32 = 0) throws -> Subprocess.Output {
        try directory.write("\(Self.key)\n", to: "passfile")
        let output = try Subprocess.run(
            "gocryptfs",
            ["-q", "-passfile", directory("passfile")] + arguments,
            directory: directory.path
        )
        #expect(output.status == status, "\(arguments): \(output.text)\(output.errorText)")
        return output
    }

    /// Mounts with gocryptfs.
    func mounted(_ storage: String, _ body: (String) throws -> Void) throws {
        let mount = "mounted"
        try? FileManager.default.createDirectory(
            atPath: directory(mount),
            withIntermediateDirectories: false
        )
        try gocryptfs(storage, mount)
        defer {
            let output = try? Subprocess.run("umount", [directory(mount)])
            #expect(output?.status == 0, "\(output?.errorText ?? "")")
        }
        try body(mount)
    }

    /// Changes one bit of a file, and not its time.
    func flip(_ path: String, at offset: UInt64) throws {
        let modified = try modified(path)
        let file = try FileHandle(forUpdating: url(path))
        try file.seek(toOffset: offset)
        let byte = try #require(try file.read(upToCount: 1)?.first)
        try file.seek(toOffset: offset)
        try file.write(contentsOf: [byte ^ 1])
        try file.close()
        try FileManager.default.setAttributes(
            [.modificationDate: modified],
            ofItemAtPath: directory(path)
        )
    }

    func modified(_ path: String) throws -> Date {
        let attributes = try FileManager.default.attributesOfItem(atPath: directory(path))
        return try #require(attributes[.modificationDate] as? Date)
    }

    func digests(_ folder: String) throws -> String {
        let sums = try Subprocess.run(
            "sh",
            ["-c", "find . -type f -print0 | sort -z | xargs -0 sha256sum"],
            directory: directory(folder)
        )
        #expect(sums.status == 0)
        return sums.text
    }
}
