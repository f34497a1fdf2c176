import Foundation
import TestSupport
import Testing

/// One volume, several containers: one writer, and readers.
@Suite(.requires(.docker, .executables, .fuse, .tool("busybox")))
struct `A volume that containers share` {
    private let image: Image
    private let volume = NamedVolume()

    init() throws {
        image = try Image.entrypoint(
            .scratch,
            ["--key-source", "env:KEY", "--storage", "/data/storage", "--mount", "/decrypted"]
        )
    }

    private var options: [String] {
        fuseOptions + ["--volume", "\(volume.name):/data", "--env", "KEY=a key of tests"]
    }

    private func start(_ arguments: String...) throws -> Container {
        try Container(image.name, options: options, arguments)
    }

    @Test(arguments: ["gocryptfs", "rclone"])
    func `has one writer, whom a second and a status name, and readers beside it`(
        format: String
    ) throws {
        let writer = try start(
            "--format",
            format,
            "--config",
            "/data/encrypt.conf",
            "--",
            "sh",
            "-c",
            "echo first > /decrypted/file; echo begun; exec sleep 600"
        )
        try #require(writer.waitForLog(containing: "begun"), "\(writer.log)")
        let host = String(
            try Docker.succeed("inspect", "--format", "{{.Config.Hostname}}", writer.name)
        )

        let second = try start("--config", "/data/encrypt.conf", "--", "echo", "started")
        #expect(try second.wait() == 78)
        #expect(second.log.contains(" on \(host) since 20"), "\(second.log)")
        #expect(second.log.contains("has /data/storage open for writing: stop it"))
        #expect(!second.log.contains("started\n"))

        let reader = try start(
            "--config",
            "/data/encrypt.conf",
            "--read-only",
            "--",
            "sh",
            "-c",
            """
            cat /decrypted/file; echo ready
            until grep -q second /decrypted/file; do sleep 0.1; done; echo seen
            touch /decrypted/no || echo refused; exec sleep 600
            """
        )
        try #require(reader.waitForLog(containing: "ready"), "\(reader.log)")
        #expect(reader.log.contains("first"))
        _ = try writer.execute("sh", "-c", "echo second > /decrypted/file")
        #expect(reader.waitForLog(containing: "refused"), "\(reader.log)")
        #expect(reader.log.contains("seen"))
        for container in [writer, reader] {
            let status = try container.execute("/secure-init", "status")
            #expect(status.text.contains("writer      process "), "\(status.text)")
            #expect(status.text.contains(" on \(host) since 20"), "\(status.text)")
        }

        // Killed, with everything in it: the next writer is not kept off, and says whose place it takes.
        try Docker.succeed("kill", "--signal", "KILL", writer.name)
        _ = try writer.wait()
        let next = try start(
            "--config",
            "/data/encrypt.conf",
            "--",
            "cat",
            "/decrypted/file"
        )
        #expect(try next.wait() == 0, "\(next.log)")
        #expect(next.log.contains("second"))
        #expect(next.log.contains("the last writer did not unmount: process "), "\(next.log)")
        #expect(next.log.contains(" on \(host) since 20"))
        let last = try start("--config", "/data/encrypt.conf", "--", "true")
        #expect(try last.wait() == 0)
        #expect(!last.log.contains("did not unmount"), "\(last.log)")
    }
}
