import Foundation
import TestSupport
import Testing

/// The key server in an empty image, asked by curl.
@Suite(.requires(.docker, .executables, .tool("curl"), .tool("openssl")))
struct `secure-store serve in a container` {
    private let certificates: Certificates
    private let container: Container
    private let image: Image
    private let port: String

    init() throws {
        certificates = try .authority(host: "localhost")
        for file in ["server.key", "client.key"] {
            try FileManager.default.setAttributes(
                [.posixPermissions: 0o644],
                ofItemAtPath: certificates.path(file)
            )
        }
        try FileManager.default.setAttributes(
            [.posixPermissions: 0o755],
            ofItemAtPath: certificates.directory.path
        )
        image = try Image(
            dockerfile: """
                FROM scratch
                COPY secure-store /secure-store
                ENTRYPOINT ["/secure-store"]

                """
        )
        container = try Container(
            image.name,
            options: [
                "--user", "65532:65532", "--cap-drop", "ALL", "--read-only",
                "--tmpfs", "/var/lib/secure-store:mode=0700,uid=65532,gid=65532",
                "--publish", "127.0.0.1::8443",
                "--volume", "\(certificates.directory.path):/certificates:ro",
                "--env", "STORE_PASSWORD=\(Original.password)",
            ],
            [
                "serve", "--cert", "/certificates/server.pem", "--key", "/certificates/server.key",
                "--client-ca", "/certificates/ca.pem",
            ]
        )
        let address = try Docker.succeed("port", container.name, "8443/tcp")
        port = String(address.split(separator: ":").last ?? "")
    }

    private func curl(
        _ path: String,
        _ options: String...,
        client: Bool = true
    ) throws
        -> Subprocess.Output
    {
        let credentials = [
            "--cert", certificates.path("client.pem"), "--key", certificates.path("client.key"),
        ]
        return try Subprocess.run(
            "curl",
            [
                "--silent", "--show-error", "--max-time", "10", "--retry", "3",
                "--retry-connrefused", "--retry-delay", "1",
                "--cacert", certificates.path("ca.pem"), "--write-out", "\n%{http_code}",
            ] + (client ? credentials : []) + options + ["https://localhost:\(port)\(path)"]
        )
    }

    @Test func `answers a certificate of its authority as the original did`() throws {
        #expect(container.waitForLog(containing: "8443"), "\(container.log)")
        let output = try curl("/key")

        let lines = output.text.split(separator: "\n")
        #expect(lines.last == "201", "\(output.text) \(output.errorText) \(container.log)")
        let body = try JSONSerialization.jsonObject(with: Data((lines.first ?? "").utf8))
        #expect(body as? [String: String] == ["password": Original.password])
    }

    @Test func `unlocks with the protocol of its own clients`() throws {
        #expect(container.waitForLog(containing: "8443"), "\(container.log)")
        let output = try curl(
            "/v1/unlock",
            "--header",
            "Content-Type: application/json",
            "--data",
            #"{"device":"client","boot_id":"b","keys":["default"],"version":"test"}"#
        )

        let lines = output.text.split(separator: "\n")
        #expect(lines.last == "200", "\(output.text) \(output.errorText) \(container.log)")
        let body = try JSONSerialization.jsonObject(with: Data((lines.first ?? "").utf8))
        let keys = (body as? [String: Any])?["keys"] as? [String: String]
        #expect(keys == ["default": Original.password])
    }

    @Test func `says nothing to who has no certificate`() throws {
        #expect(container.waitForLog(containing: "8443"), "\(container.log)")
        // Known to be up, so that a refusal is not a server that was never there.
        #expect(try curl("/key").text.hasSuffix("201"))

        let output = try curl("/key", client: false)

        #expect(!output.text.contains(Original.password))
        #expect(output.text.hasSuffix("000"), "the handshake ends it: \(output.text)")
        #expect(output.status != 0)
    }

    @Test func `stops at once when told to, with code 0`() throws {
        #expect(container.waitForLog(containing: "8443"), "\(container.log)")
        let (code, seconds) = try container.stop()

        #expect(code == 0, "\(container.log)")
        #expect(seconds < 2)
        #expect(!container.log.contains(Original.password))
    }
}
