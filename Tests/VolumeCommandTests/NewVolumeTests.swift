import Foundation
import TestSupport
import Testing

/// A volume of which nobody says how it is to be made.
@Suite(.serialized, .requires(.executables)) struct `A new volume` {
    private let work: Workplace

    init() throws {
        work = try Workplace()
        try work.makePlain()
    }

    /// Which command makes it.
    enum Maker: String, CaseIterable, Sendable {
        case create, encrypt, mount
    }

    /// Makes a volume in `storage` under the key in the file `key`.
    private func make(_ maker: Maker) throws {
        switch maker {
        case .create:
            let output = try work("volume", "create", "storage", "--key-file", "key", key: nil)
            #expect(output.status == 0, "\(output.errorText)")
        case .encrypt:
            let output = try work(
                "volume",
                "encrypt",
                "plain",
                "storage",
                "--key-file",
                "key",
                key: nil
            )
            #expect(output.status == 0, "\(output.errorText)")
        case .mount:
            let mounted = try work.start(
                "volume",
                "mount",
                "storage",
                "view",
                "--create",
                "auto",
                "--key-file",
                "key"
            )
            try mounted.waitForOutput(containing: "is mounted at view")
            mounted.signal(SIGTERM)
            #expect(try mounted.wait().status == 0)
        }
    }

    @Test(.requires(.fuse), arguments: Maker.allCases)
    func `is gocryptfs's, and guessing at its key is dear unless the key was generated`(
        maker: Maker
    ) throws {
        #expect(try work("key", "new", "--out", "key", key: nil).status == 0)
        try make(maker)
        #expect(try work.scryptCost() == 1 << 10)
        try FileManager.default.removeItem(atPath: work.directory("storage"))
        try work.directory.write("a password\n", to: "key")
        try make(maker)
        #expect(try work.scryptCost() == 1 << 16)
        #expect(!FileManager.default.fileExists(atPath: work.directory("encrypt.conf")))
    }

    @Test func `with an option of the other format is refused, and nothing is made`() throws {
        let output = try work("volume", "create", "storage", "--name-encryption", "off")
        #expect(output.status == 64)
        #expect(output.errorText.contains("--format rclone"), "\(output.errorText)")
        #expect(!FileManager.default.fileExists(atPath: work.directory("storage")))
    }
}
