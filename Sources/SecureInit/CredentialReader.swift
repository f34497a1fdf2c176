internal import Cryptography
internal import KeyProtocol
internal import KeySources
internal import Linux

/// Gathers what the device shows a key server, from variables and files, into locked memory.
struct CredentialReader {
    let settings: Settings
    let environment: InheritedEnvironment

    /// Largest file that is taken: a bundle of every public authority is a quarter of that.
    static let maximumCount = 1 << 20

    /// Reads everything there is.
    ///
    /// - Throws: ``InitError/credential(_:reason:)``, ``InitError/noCredentials``.
    func read() throws(InitError) -> Credentials {
        var credentials = Credentials()
        // As in the original, the two variables count only together.
        let certificate = environment.nonEmptySecret(named: "MTLS_CERT")
        let privateKey = environment.nonEmptySecret(named: "MTLS_KEY")
        if let certificate, let privateKey {
            credentials.certificate = try decode(certificate, "MTLS_CERT")
            credentials.privateKey = try decode(privateKey, "MTLS_KEY")
        }
        credentials.token =
            environment.nonEmptySecret(named: "STORE_TOKEN").map(Self.trimmed)
        if credentials.token == nil, let path = settings.tokenPath {
            credentials.token = Self.trimmed(try contents(of: path, option: "--token-file"))
        }
        if credentials.certificate == nil { try readPair(into: &credentials) }
        credentials.authority = try authority()
        if credentials.authority == nil, let directory, directory.isComplete {
            credentials.authority = try contents(of: directory.authority, option: "--credentials")
        }
        guard credentials.certificate != nil || credentials.token != nil else {
            throw .noCredentials
        }
        return credentials
    }

    /// Whom to trust, where that is said.
    ///
    /// - Throws: ``InitError/credential(_:reason:)``.
    func authority() throws(InitError) -> SecretBytes? {
        if let authority = environment.nonEmptySecret(named: "MTLS_CA") {
            return try decode(authority, "MTLS_CA")
        }
        guard let path = settings.authorityPath else { return nil }
        return try contents(of: path, option: "--ca")
    }

    /// The one-time token; nil where there is none.
    ///
    /// - Throws: ``InitError/credential(_:reason:)``.
    func enrolmentToken() throws(InitError) -> EnrolmentToken? {
        var text = environment.nonEmptySecret(named: "STORE_ENROLL_TOKEN")
        if text == nil, let path = settings.enrolmentTokenPath {
            text = try contents(of: path, option: "--enroll-token-file")
        }
        guard let text else { return nil }
        guard let token = EnrolmentToken(parsing: text) else {
            throw .credential(
                "the one-time token",
                reason: "no token: it begins with sse1_, on one line"
            )
        }
        return token
    }

    /// Whether the certificate is the one in the directory, which may be renewed.
    func usesDirectory(_ credentials: Credentials) -> Bool {
        guard let directory, directory.isComplete, credentials.certificate != nil else {
            return false
        }
        let fromVariables =
            environment.nonEmptySecret(named: "MTLS_CERT") != nil
            && environment.nonEmptySecret(named: "MTLS_KEY") != nil
        return !fromVariables && settings.certificatePath == nil && settings.privateKeyPath == nil
    }

    private var directory: CredentialDirectory? {
        settings.credentialPath.map(CredentialDirectory.init)
    }

    /// Reads certificate and private key from their files.
    private func readPair(into credentials: inout Credentials) throws(InitError) {
        if let directory, directory.isComplete, settings.certificatePath == nil,
            settings.privateKeyPath == nil
        {
            credentials.certificate = try contents(
                of: directory.certificate,
                option: "--credentials"
            )
            credentials.privateKey = try contents(
                of: directory.privateKey,
                option: "--credentials"
            )
            return
        }
        let isAskedFor = settings.certificatePath != nil || settings.privateKeyPath != nil
        // With a token, a pair that nobody named need not be there.
        guard isAskedFor || credentials.token == nil else { return }
        let certificatePath = settings.certificatePath ?? "./cert.pem"
        let privateKeyPath = settings.privateKeyPath ?? "./key.pem"
        guard isAskedFor || SecretFile.exists(certificatePath) || SecretFile.exists(privateKeyPath)
        else { throw .noCredentials }
        credentials.certificate = try contents(of: certificatePath, option: "--cert")
        credentials.privateKey = try contents(of: privateKeyPath, option: "--key")
    }

    private func contents(of path: String, option: String) throws(InitError) -> SecretBytes {
        do throws(Errno) {
            return try SecretFile.read(path: path, limit: Self.maximumCount)
        } catch {
            throw .credential("\(option) \(path)", reason: "cannot be read: \(error)")
        }
    }

    private func decode(_ text: SecretBytes, _ name: String) throws(InitError) -> SecretBytes {
        do throws(CryptographyError) {
            return try text.withUnsafeBytes { text throws(CryptographyError) in
                try Base64.decodeSecret(text, as: .standard)
            }
        } catch {
            throw .credential(name, reason: "not base64 of a PEM file, as in: base64 -w0 cert.pem")
        }
    }

    /// Without the white space that editors leave at the end of a file.
    private static func trimmed(_ text: SecretBytes) -> SecretBytes {
        text.withUnsafeBytes { bytes in
            let end = bytes.lastIndex { $0 > 0x20 }.map { $0 + 1 } ?? 0
            return SecretBytes(copying: UnsafeRawBufferPointer(rebasing: bytes[..<end]))
        }
    }
}

extension InheritedEnvironment {
    fileprivate func nonEmptySecret(named name: String) -> SecretBytes? {
        secret(named: name).flatMap { $0.count == 0 ? nil : $0 }
    }
}
