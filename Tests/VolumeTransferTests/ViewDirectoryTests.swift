import Foundation
import TestSupport
import Testing
import VolumeTransfer

@Suite struct `A directory for a view` {
    @Test func `is wiped of what a crash left, however deep that is`() throws {
        let directory = try TemporaryDirectory(in: "/dev/shm")
        try directory.write("", to: ".secure-init-view")
        try directory.write("left", to: "file")
        let tower = try DirectoryTower(in: directory.path, levels: 25_000)
        try directory.write("left", to: "d/d/file", mode: 0o400)
        try FileManager.default.setAttributes(
            [.posixPermissions: 0],
            ofItemAtPath: directory("d/d")
        )
        do {
            let view = try ViewDirectory(directory.path, storage: "/var/empty")
            #expect(try contents(of: directory) == [".secure-init-view"])
            try view.wipe()
            #expect(try contents(of: directory).isEmpty)
        } catch {
            try tower.remove()
            throw error
        }
    }

    private func contents(of directory: TemporaryDirectory) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: directory.path)
    }
}
