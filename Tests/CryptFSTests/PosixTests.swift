import TestSupport
import Testing

@Suite(.requires(.fuse, .tool("python3")))
struct PosixTests {
    @Test(arguments: [
        "directories", "appending", "truncating", "renaming_files", "rename_flags",
        "open_and_removed", "symbolic_links", "ownership_and_modes", "times", "mapped_files",
        "names", "what_is_not_there", "large_directory", "many_open_files", "locks",
        "direct_access", "writing_only",
    ])
    func `a program finds what it may expect`(subject: String) throws {
        let volume = try MountedVolume()
        let entries = Client.number("SECURE_STORE_TEST_ENTRIES", default: 3000)
        try Client.run(
            "posix.py",
            [volume.mountPoint, subject],
            environment: ["ENTRIES": String(entries)]
        )
        let warnings = try volume.unmount()
        #expect(!warnings.contains("could not be stored"), "\(warnings)")
        #expect(try volume.drafts().isEmpty)
    }

    @Test func `random operations agree with a model, across remounts`() throws {
        let operations = Client.number("SECURE_STORE_TEST_OPERATIONS", default: 600)
        for (seed, size) in [(1, 600_000), (2, 5_000), (3, 5_000_000)] {
            let volume = try MountedVolume()
            for round in 0..<4 {
                try Client.run(
                    "fsx.py",
                    [
                        volume("file"), volume.directory("model"), String(seed * 100 + round),
                        String(operations),
                    ],
                    environment: ["SIZE": String(size)],
                    timeout: 3600
                )
                try volume.remount()
            }
            try volume.unmount()
            #expect(try volume.drafts().isEmpty)
        }
    }

    @Test func `the model test notices one changed byte`() throws {
        let volume = try MountedVolume()
        try Client.run("fsx.py", [volume("file"), volume.directory("model"), "1", "50"])
        var model = try volume.directory.read("model")
        #expect(!model.isEmpty)
        model[model.count / 2] ^= 1
        try volume.directory.write(model, to: "model")
        let output = try Client.start(
            "fsx.py",
            [volume("file"), volume.directory("model"), "1", "1"]
        ).wait()
        #expect(output.status != 0)
        #expect(output.errorText.contains("first difference at \(model.count / 2)"))
    }
}
