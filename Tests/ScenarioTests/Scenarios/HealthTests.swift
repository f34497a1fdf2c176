import Foundation
import TestSupport
import Testing

/// `docker exec` and `HEALTHCHECK` where there is nothing but secure-init and the command.
@Suite(.requires(.docker, .executables, .fuse, .freezer, .tool("busybox")))
struct `A container's health` {
    /// No shell in it, nor any other program.
    private static let dockerfile = """
        FROM scratch
        COPY secure-init /secure-init
        COPY busybox /sleep
        WORKDIR /view
        HEALTHCHECK --interval=1s --timeout=20s --start-period=60s --retries=1 \
            CMD ["/secure-init", "health", "--timeout", "2s"]
        ENTRYPOINT ["/secure-init", "--key-source", "file:/keys/key", "--storage", "/data/storage", \
            "--config", "/data/encrypt.conf", "--mount", "/view", "--"]
        CMD ["/sleep", "600"]

        """

    private func health(_ container: Container) throws -> String {
        try Docker.succeed("inspect", "--format", "{{.State.Health.Status}}", container.name)
    }

    private func becomes(_ wanted: String, _ container: Container) -> Bool {
        waitUntil(timeout: 60) {
            usleep(100_000)
            return (try? health(container)) == wanted
        }
    }

    @Test func `goes from starting to healthy, and with the volume to unhealthy and back`() throws {
        let image = try Image(dockerfile: Self.dockerfile)
        let keys = try TemporaryDirectory()
        let volume = NamedVolume()
        let container = try Container(
            image.name,
            options: fuseOptions + [
                "--read-only", "--volume", "\(volume.name):/data", "--volume",
                "\(keys.path):/keys:ro",
            ]
        )
        #expect(container.waitForLog(containing: "waiting for the key"), "\(container.log)")
        #expect(try health(container) == "starting")
        let waiting = try container.execute("/secure-init", "status", "--json")
        #expect(waiting.status == 0, "\(waiting.errorText)")
        #expect(waiting.text.contains("\"phase\":\"waiting-for-key\""))
        #expect(waiting.text.contains("/keys/key cannot be opened"))
        #expect(try container.execute("/secure-init", "health").status == 1)

        try keys.write("a key", to: "key")
        #expect(becomes("healthy", container), "\(container.log)")
        let running = try container.execute("/secure-init", "status", "--json")
        #expect(running.text.contains("\"phase\":\"running\""))
        #expect(running.text.contains("\"mounted\":true"))
        #expect(!running.text.contains("a key"))
        let nobody = try Docker.run([
            "exec", "--user", "4711", container.name, "/secure-init", "status",
        ])
        #expect(nobody.status == 77)

        let top = try Docker.succeed("top", container.name, "-eo", "pid,comm")
        let line = try #require(top.split(separator: "\n").first { $0.contains("secure-init-vol") })
        let worker = try #require(Int32(line.split(separator: " ")[0]))
        let frozen = try FrozenProcess(worker)
        #expect(becomes("unhealthy", container))
        let said = try Docker.succeed(
            "inspect",
            "--format",
            "{{range .State.Health.Log}}{{.Output}}{{end}}",
            container.name
        )
        #expect(said.contains("the volume at /view does not answer within"))
        frozen.thaw()
        #expect(becomes("healthy", container))
        #expect(try container.stop().code == 143)
    }
}
