import Foundation
import TestSupport
import Testing

/// `examples/balena-fleet`, as a device's engine would build and run it.
@Suite(
    .requires(.docker, .executables, .fuse, .tool("nginx"), .tool("openssl"), .tool("busybox"))
)
struct `The example of a balena fleet` {
    @Test func `unlocks with nothing but what a dashboard holds`() throws {
        let base = try Image(dockerfile: try Base.scratch.dockerfile())
        let example = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../../../examples/balena-fleet/device").standardizedFileURL
        let context = try TemporaryDirectory()
        for file in ["Dockerfile", "application.sh"] {
            try FileManager.default.copyItem(
                atPath: example.appendingPathComponent(file).path,
                toPath: context(file)
            )
        }
        // As README.md has it copied there.
        try FileManager.default.copyItem(
            atPath: Executables.secureInit,
            toPath: context("secure-init")
        )
        let name = Docker.uniqueName("image")
        try Docker.succeed(
            "build",
            "--quiet",
            "--tag",
            name,
            "--build-arg",
            "BASE_IMAGE=\(base.name)",
            context.path,
            timeout: 120
        )
        defer { _ = try? Docker.run(["rmi", "--force", name]) }

        let certificates = try Certificates.authority(host: "keys.example.com")
        let keyPair = try Subprocess.run(Executables.secureStore, ["key", "new"])
        let key = keyPair.text.trimmingCharacters(in: .whitespacesAndNewlines)
        let server = try Nginx(
            password: key,
            certificate: certificates.path("server.pem"),
            key: certificates.path("server.key"),
            clientAuthority: certificates.path("ca.pem")
        )
        let directory = try TemporaryDirectory()
        try directory.write(key + "\n", to: "key", mode: 0o600)
        let encrypted = try Subprocess.run(
            Executables.secureStore,
            ["env", "encrypt", "API_KEY", "--key-file", directory("key")],
            standardInput: Array("twelve chars".utf8)
        )
        #expect(encrypted.status == 0, "\(encrypted.errorText)")
        let variable = encrypted.text.trimmingCharacters(in: .whitespacesAndNewlines)
        #expect(variable.hasPrefix("ENCRYPTED_API_KEY=v2."))

        let volume = NamedVolume()
        for count in 1...2 {
            let container = try Container(
                name,
                options: fuseOptions + [
                    "--add-host", "keys.example.com:host-gateway",
                    "--volume", "\(volume.name):/data",
                    "--env", variable,
                    "--env", "SECURE_INIT_KEY_SOURCE=https://keys.example.com:\(server.port)",
                    "--env", "MTLS_CERT=\(try certificates.base64("client.pem"))",
                    "--env", "MTLS_KEY=\(try certificates.base64("client.key"))",
                    "--env", "MTLS_CA=\(try certificates.base64("ca.pem"))",
                ]
            )
            #expect(
                container.waitForLog(containing: "started \(count) times"),
                "\(container.log)"
            )
            #expect(container.log.contains("API_KEY has 12 characters"))
            #expect(try container.stop().code == 0)
        }
    }
}
