import Foundation
import TestSupport
import Testing

/// `docker stop`, which sends SIGTERM and ten seconds later SIGKILL.
@Suite(.requires(.docker, .executables, .fuse, .tool("busybox"), .tool("openssl")))
struct `docker stop` {
    /// Well under a second, on machines where other tests run beside.
    private static let limit = 0.9

    @Test(arguments: [true, false])
    func `ends a container that waits for its server`(silent: Bool) throws {
        let certificates = try Certificates.authority(host: "keyserver")
        // Either nobody listens at all, or somebody who never says a word.
        let port = try FreePort.any()
        let listener = silent ? try SilentListener(port: port) : nil
        defer { withExtendedLifetime(listener) {} }
        let image = try Image.entrypoint(.scratch)
        let container = try Container(
            image.name,
            options: [
                "--add-host", "keyserver:host-gateway",
                "--env", "MTLS_CERT=\(try certificates.base64("client.pem"))",
                "--env", "MTLS_KEY=\(try certificates.base64("client.key"))",
                "--env", "MTLS_CA=\(try certificates.base64("ca.pem"))",
            ],
            ["--key-source", "https://keyserver:\(port)", "--env-only", "echo", "the command ran"]
        )
        usleep(1_500_000)
        #expect(container.isRunning, "it waits: \(container.log)")

        let (code, seconds) = try container.stop()

        #expect(code == 143)
        #expect(seconds < Self.limit)
        #expect(!container.log.contains("the command ran"))
    }

    @Test func `ends a running command and leaves no mount`() throws {
        let image = try Image.entrypoint(
            .scratch,
            [
                "--key-source", "env:KEY", "--storage", "/data/storage",
                "--config", "/data/encrypt.conf", "--mount", "/view/decrypted", "--",
            ]
        )
        // Mounts made below this folder in the container show up here, and would stay.
        let shared = try SharedFolder()
        let volume = NamedVolume()
        let container = try Container(
            image.name,
            options: fuseOptions + [
                "--volume", "\(volume.name):/data", "--env", "KEY=a key",
                "--mount", "type=bind,source=\(shared.path),target=/view,bind-propagation=rshared",
            ],
            [
                "sh", "-c",
                "trap 'exit 7' TERM; cd /view/decrypted; echo ready; sleep 600 & wait",
            ]
        )
        #expect(container.waitForLog(containing: "ready"), "\(container.log)")
        #expect(shared.mounts() == ["\(shared.path)/decrypted"], "this test would see it")

        let (code, seconds) = try container.stop()

        #expect(code == 7, "the command's own code: \(container.log)")
        #expect(seconds < Self.limit)
        #expect(shared.mounts() == [])
    }

    @Test func `reports a command that dies of the signal as 143`() throws {
        let image = try Image.entrypoint(.scratch, ["--key-source", "env:KEY", "--env-only", "--"])
        let container = try Container(
            image.name,
            options: ["--env", "KEY=k"],
            ["sh", "-c", "echo ready; exec sleep 600"]
        )
        #expect(container.waitForLog(containing: "ready"), "\(container.log)")

        let (code, seconds) = try container.stop()

        #expect(code == 143)
        #expect(seconds < Self.limit)
    }
}
