import Foundation
import TestSupport
import Testing

@Suite(.serialized, .requires(.executables))
struct `A volume's migration` {
    private let work: Workplace

    init() throws {
        work = try Workplace()
        try work.makePlain()
        try work.makeLongNames(80)
    }

    @Test func `goes from rclone to gocryptfs and back, and leaves its source alone`() throws {
        #expect(try work.fillRcloneVolume().status == 0)
        let before = try work.digests("old")
        let there = try work.run([
            "volume", "migrate", "old", "new", "--config", "encrypt.conf", "--format", "gocryptfs",
        ])
        #expect(there.status == 0, "\(there.errorText)")
        #expect(try work.digests("old") == before)
        #expect(try work("volume", "check", "new").status == 0)
        #expect(try work("volume", "decrypt", "new", "again").status == 0)
        #expect(try work.isSame("plain", "again"))

        let back = try work.run([
            "volume", "migrate", "new", "third", "--format", "rclone", "--target-config",
            "third.conf",
        ])
        #expect(back.status == 0, "\(back.errorText)")
        let decrypt = try work("volume", "decrypt", "third", "thrice", "--config", "third.conf")
        #expect(decrypt.status == 0, "\(decrypt.errorText)")
        #expect(try work.isSame("plain", "thrice"))
    }

    @Test func `goes on where it was stopped, and says what it could not copy`() throws {
        try work.makeVolume("old", ["--plaintext-names"])
        try work.fill("old")
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
