internal import ArgumentParser
internal import Cryptography
internal import Glibc
internal import KeyServer

/// Where the server's certificates come from.
struct CertificateOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The server's certificate, PEM.", valueName: "file"))
    var cert: String?

    @Option(help: ArgumentHelp("Its private key, PEM.", valueName: "file"))
    var key: String?

    @Option(
        name: .customLong("client-ca"),
        help: ArgumentHelp("Who signs the devices' certificates, PEM.", valueName: "file")
    )
    var clientAuthority: String?

    func validate() throws {
        let given = [cert, key, clientAuthority].compactMap { $0 }.count
        guard given == 0 || given == 3 else {
            throw ValidationError("--cert, --key and --client-ca go together")
        }
    }

    /// Reads them: variables win over files, files over the state directory.
    ///
    /// - Throws: ``KeyServerError``.
    func load(from state: StateDirectory) throws -> ServerCertificates {
        let variables = try ["MTLS_CERT", "MTLS_KEY", "MTLS_CA"].map(Self.decode)
        if let certificate = variables[0], let key = variables[1] {
            return ServerCertificates(
                certificate: certificate,
                privateKey: key,
                // The original's way: one certificate for everybody.
                clientAuthorities: variables[2] ?? certificate,
                source: "MTLS_CERT"
            )
        }
        guard variables[0] == nil, variables[1] == nil else {
            throw KeyServerError.certificate(
                source: "environment",
                reason: "MTLS_CERT and MTLS_KEY go together"
            )
        }
        guard let cert, let key, let clientAuthority else {
            return try ServerCertificates(in: state)
        }
        return ServerCertificates(
            certificate: try StateFile.read(cert),
            privateKey: try StateFile.read(key),
            clientAuthorities: try StateFile.read(clientAuthority),
            source: cert
        )
    }

    /// Where they can be read again while the server runs; `nil` for variables, which cannot.
    ///
    /// Before ``load(from:)``, which takes the variables away.
    func files(in state: StateDirectory) -> CertificateFiles? {
        guard getenv("MTLS_CERT") == nil else { return nil }
        let paths =
            [cert, key, clientAuthority].compactMap { $0 }.count == 3
            ? [cert, key, clientAuthority].compactMap { $0 }
            : [state.serverCertificate, state.serverKey, state.authorityCertificate]
        return CertificateFiles(paths: paths) { () throws(KeyServerError) in
            ServerCertificates(
                certificate: try StateFile.read(paths[0]),
                privateKey: try StateFile.read(paths[1]),
                clientAuthorities: try StateFile.read(paths[2]),
                source: paths[0]
            )
        }
    }

    private static func decode(_ variable: String) throws -> SecretBytes? {
        guard let text = SecretInput.take(variable) else { return nil }
        do {
            return try text.withUnsafeBytes { try Base64.decodeSecret($0, as: .standard) }
        } catch {
            throw KeyServerError.certificate(source: variable, reason: "is no base64")
        }
    }
}
