import Foundation
import TestSupport
import Testing

/// A container without FUSE: no device, no capability, a tmpfs.
@Suite(.requires(.docker, .executables, .tool("busybox")))
struct `A view in memory` {
    private let image: Image
    private let volume = NamedVolume()

    init() throws {
        image = try Image.entrypoint(
            .scratch,
            ["--key-source", "env:KEY", "--storage", "/data/storage", "--mount", "/view"]
        )
    }

    private func start(
        _ options: [String] = [],
        size: String = "8m",
        _ script: String
    ) throws -> Container {
        try Container(
            image.name,
            options: [
                "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--network", "none",
                "--read-only", "--tmpfs", "/view:size=\(size)", "--volume",
                "\(volume.name):/data", "--env", "KEY=a key of tests",
            ],
            ["--view", "memory"] + options + ["--", "sh", "-c", script]
        )
    }

    @Test func `lives through a write-back, a sync, a kill and a TERM`() throws {
        let first = try start(
            ["--write-back"],
            """
            cd /view; mkdir -p a/b; echo precious-content > a/b/precious-name; ln -s b/precious-name a/link
            echo old > changed; touch -d '2020-01-02 03:04:05' changed; chmod 640 changed; echo x > gone
            """
        )
        #expect(try first.wait() == 0, "\(first.log)")
        #expect(first.log.contains("changes are written back: 4 written, 0 removed"))
        #expect(first.log.contains("volume wiped from memory"))
        for (path, contents) in try volume.files() {
            let text = String(decoding: contents, as: UTF8.self)
            #expect(!path.contains("precious") && !text.contains("precious"), "\(path)")
        }

        // What has been synchronised outlives a kill; what has not does not.
        let second = try start(
            ["--write-back"],
            """
            cd /view; cat a/link; stat -c '%a %Y' changed; echo new > changed; mv a/b c; rm gone
            echo begun; until [ -e /view/go ]; do sleep 0.1; done; echo unsynced > changed; exec sleep 600
            """
        )
        try #require(second.waitForLog(containing: "begun"), "\(second.log)")
        #expect(second.log.contains("precious-content\n640 1577934245"))
        let sync = try second.execute("/secure-init", "sync")
        #expect(sync.status == 0, "\(sync.errorText)")
        // The file, under its new name, and the one that was changed; three names are gone.
        #expect(sync.text == "2 written, 3 removed\n")
        let status = try second.execute("/secure-init", "status", "--json")
        #expect(status.text.contains("\"view\":\"memory\""), "\(status.text)")
        #expect(try second.execute("/secure-init", "health").status == 0)
        // Another user of the container gets no answer.
        let other = try Docker.run(["exec", "--user", "4711", second.name, "/secure-init", "sync"])
        #expect(other.status == 77)
        _ = try second.execute("touch", "/view/go")
        try Docker.succeed("kill", "--signal", "KILL", second.name)
        _ = try second.wait()

        let third = try start(
            ["--write-back"],
            "cd /view; cat changed c/precious-name; [ -e gone ] || echo followed; "
                + "trap 'echo last > changed; exit 3' TERM; echo begun; while :; do sleep 0.1; done"
        )
        try #require(third.waitForLog(containing: "begun"), "\(third.log)")
        #expect(third.log.contains("new\nprecious-content\nfollowed"), "\(third.log)")
        #expect(third.log.contains("the last writer did not unmount"))
        #expect(try third.stop().code == 3)

        // Read-only: shown, changed by nobody for anybody else.
        let fourth = try start(
            [],
            "cd /view; cat changed; stat -c %a changed a; chmod 600 changed && echo mine > changed"
        )
        #expect(try fourth.wait() == 0)
        #expect(fourth.log.contains("last\n440\n555\n"), "\(fourth.log)")
        let fifth = try start([], "cat /view/changed")
        #expect(try fifth.wait() == 0)
        #expect(fifth.log.contains("last\n"), "\(fifth.log)")
    }

    @Test func `is refused where it does not fit, or is no memory`() throws {
        let writer = try start(
            ["--write-back"],
            "head -c 3000000 /dev/urandom > /view/large"
        )
        #expect(try writer.wait() == 0, "\(writer.log)")
        let small = try start([], size: "1m", "echo started")
        #expect(try small.wait() == 71)
        #expect(small.log.contains("the volume does not fit at /view: 29"), "\(small.log)")
        #expect(small.log.contains("KiB are needed, and 10"), "\(small.log)")
        #expect(!small.log.contains("started\n"))
        let disk = try Container(
            image.name,
            options: ["--cap-drop", "ALL", "--volume", "\(volume.name):/data", "--env", "KEY=a"],
            ["--view", "memory", "--mount", "/bin", "--", "echo", "started"]
        )
        #expect(try disk.wait() == 78)
        #expect(disk.log.contains("takes a tmpfs or a ramfs, which /bin is not"), "\(disk.log)")
        #expect(!disk.log.contains("started\n"))
    }
}
