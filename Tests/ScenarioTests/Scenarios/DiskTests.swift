import Foundation
import TestSupport
import Testing

/// Everything that a thief finds on a device's disk: the container's whole file tree and its volume.
@Suite(
    .requires(
        .docker,
        .executables,
        .fuse,
        .tool("nginx"),
        .tool("openssl"),
        .tool("busybox"),
        .tool("tar")
    )
)
struct `A device's disk` {
    private static let plaintext = "precious-content-of-a-file"
    private static let name = "precious-name"

    /// Leaves a container that has fetched its key, decrypted a variable and written a file, and
    /// was then stopped with everything it did still on disk.
    ///
    /// - Parameter script: What the command does besides.
    /// - Returns: The bytes of every file of the container and the volume, joined.
    /// - Throws: What the engine refused.
    private func disk(after script: String) throws -> [UInt8] {
        let certificates = try Certificates.original(host: "secure-store-server")
        let server = try Nginx(
            password: Original.password,
            certificate: certificates.path("cert.pem"),
            key: certificates.path("key.pem"),
            clientAuthority: certificates.path("cert.pem")
        )
        let image = try Image.entrypoint(
            .scratch,
            [
                "--storage", "/data/storage", "--config", "/data/encrypt.conf",
                "--mount", "/decrypted", "--",
            ]
        )
        let volume = NamedVolume()
        let container = try Container(
            image.name,
            options: fuseOptions + [
                "--add-host", "secure-store-server:host-gateway",
                "--volume", "\(volume.name):/data",
                "--env", "MTLS_CERT=\(try certificates.base64("cert.pem"))",
                "--env", "MTLS_KEY=\(try certificates.base64("key.pem"))",
                "--env", "SECURE_INIT_KEY_SOURCE=https://secure-store-server:\(server.port)",
                "--env", "ENCRYPTED_TESTVAR=\(Original.encryptedVariable)",
            ],
            [
                "sh", "-c",
                "echo \(Self.plaintext) > /decrypted/\(Self.name); sync; \(script)"
                    + "; echo written; exec sleep 60",
            ]
        )
        try #require(container.waitForLog(containing: "written"), "\(container.log)")
        // While it still runs: afterwards more could have been tidied away.
        let tree = try TemporaryDirectory()
        try Docker.succeed("export", "--output", tree("container.tar"), container.name)
        // Extracted, for a tar file of scattered blocks could hide what it holds.
        let files = try Subprocess.run(
            "sh",
            ["-c", "tar -xOf \"$0\"; tar -tf \"$0\"", tree("container.tar")],
            timeout: 120
        )
        return try files.standardOutput
            + volume.files().flatMap { Array($0.key.utf8) + $0.value + [0] }
    }

    /// What must not be found there, by what it is.
    private static let secrets = [
        "the key": Original.password, "the variable": Original.variable,
        "a file's content": plaintext, "a file's name": name,
        "a certificate": "BEGIN CERTIFICATE-----\nMII",
        "a private key": "PRIVATE KEY-----\nMII",
    ]

    @Test func `holds no key, no credential, nothing decrypted`() throws {
        let disk = try Data(disk(after: "true"))
        #expect(disk.count > 1 << 20, "secure-init and busybox at least")
        for (what, secret) in Self.secrets {
            #expect(disk.range(of: Data(secret.utf8)) == nil, "\(what) is on the disk")
        }
    }

    @Test func `would show them, were they there`() throws {
        let script =
            "cat /decrypted/\(Self.name) > /leak; echo \(Self.name) \"$TESTVAR\" >> /leak; "
            + "printf '%s %s\\nMII %s\\nMII' \(Original.password) BEGIN' 'CERTIFICATE----- "
            + "PRIVATE' 'KEY----- >> /leak"
        let disk = try Data(disk(after: script))
        for (what, secret) in Self.secrets {
            #expect(disk.range(of: Data(secret.utf8)) != nil, "\(what) is not found")
        }
    }
}
