import TestSupport
import Testing

/// A container of the original's, with nothing changed but the program.
@Suite(.requires(.docker, .executables, .fuse, .tool("nginx"), .tool("openssl"), .tool("busybox")))
struct `The original's flags` {
    /// What may stand where the original's program stood: its one program did both jobs.
    enum Program: String, CaseIterable, CustomTestStringConvertible {
        case secureInit = "/secure-init"
        case secureStore = "/secure-store"

        var testDescription: String { rawValue }
    }

    @Test(arguments: Program.allCases)
    func `decrypt its content with the key of an independent server`(_ program: Program) throws {
        let host = "secure-store-server"
        let certificates = try Certificates.original(host: host)
        let server = try Nginx(
            password: Original.password,
            certificate: certificates.path("cert.pem"),
            key: certificates.path("key.pem"),
            clientAuthority: certificates.path("cert.pem")
        )
        let image = try Image(
            dockerfile: try Base.scratch.dockerfile() + """
                COPY secure-init secure-store /
                WORKDIR /app

                """
        )

        let output = try Docker.run(
            ["run", "--rm", "--add-host", "\(host):host-gateway"] + fuseOptions + [
                "--volume", "\(Original.storage):/app/storage",
                "--volume", "\(Original.configuration):/app/keys/encrypt.conf",
                "--volume", "\(certificates.directory.path):/app/certificates:ro",
                "--env", "ENCRYPTED_TESTVAR=\(Original.encryptedVariable)",
                image.name, program.rawValue,
                "-decrypt", "-hostname", host, "-port", "\(server.port)", "-path", "/app/decrypted",
                "-config-path", "/app/keys/encrypt.conf",
                "-certificate-path", "/app/certificates/cert.pem",
                "-key-path", "/app/certificates/key.pem",
                "sh", "-c", "cd /app/decrypted && sha256sum * && echo \"[$TESTVAR]\"",
            ]
        )

        #expect(
            output.text == Original.checksums + "\n[\(Original.variable)]\n",
            "\(output.errorText)"
        )
        #expect(output.status == 0)
        #expect(server.accessLog.contains("GET /key"))
    }

    @Test func `work with a password on the command line, with a warning`() throws {
        let image = try Image.entrypoint(.scratch)
        let output = try Docker.run([
            "run", "--rm", "--env", "ENCRYPTED_TESTVAR=\(Original.encryptedVariable)", image.name,
            "-local", Original.password, "-env-only", "sh", "-c", "echo $TESTVAR",
        ])

        #expect(output.text == Original.variable + "\n")
        #expect(output.status == 0)
        #expect(output.errorText.contains("warning"))
        #expect(!output.errorText.contains(Original.password))
    }
}
