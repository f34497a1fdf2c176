import Foundation
import TestSupport
import Testing

/// The second way: variables as a fleet's dashboard sets them, and nothing else in the image.
@Suite(.requires(.docker, .executables, .tool("nginx"), .tool("openssl"), .tool("busybox")))
struct `Variables set in a dashboard` {
    private let certificates: Certificates
    private let server: Nginx

    init() throws {
        certificates = try .original(host: "secure-store-server")
        server = try Nginx(
            password: Original.password,
            certificate: certificates.path("cert.pem"),
            key: certificates.path("key.pem"),
            clientAuthority: certificates.path("cert.pem")
        )
    }

    /// Runs a container that knows its server and its credentials from variables alone.
    private func run(
        _ variables: [String: String],
        _ command: [String]
    ) throws
        -> Subprocess.Output
    {
        let image = try Image.entrypoint(.scratch)
        let all = variables.merging(
            [
                "MTLS_CERT": try certificates.base64("cert.pem"),
                "MTLS_KEY": try certificates.base64("key.pem"),
                "SECURE_INIT_KEY_SOURCE": "https://secure-store-server:\(server.port)",
                "SECURE_INIT_ENV_ONLY": "1",
            ],
            uniquingKeysWith: { $1 }
        )
        return try Docker.run(
            ["run", "--rm", "--add-host", "secure-store-server:host-gateway"]
                + all.flatMap { ["--env", "\($0.key)=\($0.value)"] }
                + [image.name] + command
        )
    }

    @Test func `reach the command decrypted, without credentials`() throws {
        let output = try run(
            ["ENCRYPTED_TESTVAR": Original.encryptedVariable, "PLAIN": "kept"],
            ["env"]
        )

        #expect(output.status == 0, "\(output.errorText)")
        let lines = Set(output.text.split(separator: "\n").map(String.init))
        #expect(lines.contains("TESTVAR=\(Original.variable)"))
        #expect(lines.contains("PLAIN=kept"))
        for unwanted in ["ENCRYPTED_", "MTLS_", Original.password] {
            #expect(!output.text.contains(unwanted), "\(unwanted)")
        }
        #expect(server.accessLog.contains("GET /key"), "the original's server was asked its way")
    }

    @Test func `end the start when one was changed, by name and without its value`() throws {
        let flipped = String(Original.encryptedVariable.dropLast()) + "b"
        let output = try run(["ENCRYPTED_TESTVAR": flipped], ["echo", "started"])

        #expect(output.status == 65)
        #expect(output.text == "")
        #expect(output.errorText.contains("TESTVAR"))
        #expect(!output.errorText.contains(Original.password))
        #expect(!output.errorText.contains(Original.variable))
    }
}
