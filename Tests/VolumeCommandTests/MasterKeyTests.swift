import Foundation
import TestSupport
import Testing

@Suite(.serialized, .requires(.executables))
struct `A master key on paper` {
    private let work: Workplace

    init() throws {
        work = try Workplace()
        try work.makePlain()
        try work.makeVolume("storage", ["--cipher", "xchacha20-poly1305"])
        try work.fill("storage")
    }

    private func export() throws -> String {
        let output = try work("volume", "export", "storage", "--yes")
        #expect(output.status == 0, "\(output.errorText)")
        return output.text
    }

    /// Writes a new configuration, from the files `paper` and `next`.
    private func recover(_ cipher: String? = nil) throws -> Subprocess.Output {
        let files = ["--master-key-file", "paper", "--new-key-file", "next"]
        return try work.run(
            ["volume", "recover", "storage"] + files + (cipher.map { ["--cipher", $0] } ?? []),
            key: nil
        )
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
        let wrong = try recover("aes-gcm")
        #expect(wrong.status == 65, "\(wrong.errorText)")
        #expect(!FileManager.default.fileExists(atPath: work.directory("storage/gocryptfs.conf")))
        let right = try recover("xchacha20-poly1305")
        #expect(right.status == 0, "\(right.errorText)")
        #expect(try work("volume", "check", "storage", key: "new key").status == 0)
    }

    @Test func `opens a volume again whose key is lost, and keeps the old configuration`() throws {
        try work.directory.write(try export(), to: "paper")
        try work.directory.write("new key\n", to: "next")
        let output = try recover()
        #expect(output.status == 0, "\(output.errorText)")
        #expect(try work("volume", "decrypt", "storage", "again", key: "new key").status == 0)
        #expect(try work.isSame("plain", "again"))
        let old = work.directory("storage/gocryptfs.conf.bak")
        #expect(try work("volume", "info", "storage", "--config", old).status == 0)
        try work.directory.write(String(repeating: "0", count: 64), to: "paper")
        let wrong = try recover()
        #expect(wrong.status == 65, "\(wrong.errorText)")
        #expect(wrong.errorText.contains("opens nothing"))
    }
}
