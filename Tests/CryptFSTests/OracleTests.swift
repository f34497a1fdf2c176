import Foundation
import TestSupport
import Testing

/// The same operations on a mounted volume and on the disk below it: the same results, the same errors.
@Suite(.requires(.fuse, .tool("python3")))
struct OracleTests {
    @Test(arguments: [
        "holes", "appending", "truncating", "direct_access", "mapped_files", "allocation",
        "copying",
        "renaming", "linking", "symbolic_links", "opening", "name_limits", "listing_changes",
        "listed_numbers", "removed_directory", "watching", "times", "attributes",
        "access_control_lists", "special_files", "modes", "permissions", "locks", "sizes",
    ])
    func `a volume does as the disk does`(subject: String) throws {
        try compare(subject)
    }

    @Test func `a difference is noticed`() throws {
        #expect {
            try compare("control")
        } throws: { error in
            "\(error)".contains("1 of 1 differ")
        }
    }

    private func compare(_ subject: String) throws {
        let volume = try MountedVolume(format: .gocryptfs)
        let disk = volume.directory("disk")
        try FileManager.default.createDirectory(
            atPath: disk,
            withIntermediateDirectories: false
        )
        // Some of what is done is done by others than root.
        try FileManager.default.setAttributes(
            [.posixPermissions: 0o755],
            ofItemAtPath: volume.directory.path
        )
        let entries = Client.number("SECURE_STORE_TEST_ENTRIES", default: 500, long: 50_000)
        try Client.run(
            "oracle.py",
            [volume.mountPoint, disk, subject],
            environment: ["ENTRIES": String(entries)]
        )
        try volume.unmount()
    }
}
