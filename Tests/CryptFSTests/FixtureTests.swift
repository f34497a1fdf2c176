import Foundation
import TestSupport
import Testing

@Suite(.requires(.fuse))
struct FixtureTests {
    @Test func `the original's demo content appears decrypted and can be added to`() throws {
        let copy = try TemporaryDirectory()
        try FileManager.default.copyItem(
            atPath: Fixtures.path("secure-store-demo"),
            toPath: copy("demo")
        )
        let volume = try MountedVolume(
            storage: copy("demo/storage"),
            configuration: copy("demo/encrypt.conf"),
            key: "my-password-eQ4al9jgPxlWDwxL6uiGdznhhVJzaVQPnkNRjwvwoTvqWpeBJJJZ"
        )
        let names = try FileManager.default.contentsOfDirectory(atPath: volume.mountPoint)
        #expect(names.sorted() == ["test1", "test2", "test3"])
        #expect(try Data(contentsOf: URL(fileURLWithPath: volume("test1"))).count == 31)

        try Data("hello".utf8).write(to: URL(fileURLWithPath: volume("new")))
        try volume.remount()
        #expect(try String(contentsOfFile: volume("new"), encoding: .utf8) == "hello")
        #expect(try Data(contentsOf: URL(fileURLWithPath: volume("test3"))).count == 40)
        try volume.unmount()
    }
}
