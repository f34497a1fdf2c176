internal import Cryptography
internal import KeyProtocol
internal import KeySources
internal import Linux

extension Supervisor {
    /// Where this device keeps its credentials; nil where nobody said.
    var credentialDirectory: CredentialDirectory? {
        settings.credentialPath.map { CredentialDirectory(path: absolute($0)) }
    }

    /// Has the key server give this device a certificate, where it has a one-time token, a directory
    /// to keep the certificate in, and none there yet.
    ///
    /// - Throws: ``InitError``; interrupted by a signal at any moment.
    func enroll(with server: ServerAddress) throws(InitError) {
        guard let directory = credentialDirectory, !directory.isComplete, let environment
        else { return }
        let reader = CredentialReader(settings: settings, environment: environment)
        guard let token = try reader.enrolmentToken() else { return }
        var credentials = Credentials()
        credentials.enrolmentToken = token.text
        credentials.authority = try reader.authority()
        if credentials.authority == nil { credentials.authorityFingerprint = token.authority }
        credentials.privateKey = try directory.makePrivateKey()
        log.info("asking for a certificate", ["source": .text(plan.key.name)])
        let job = FetchJob(
            server: server,
            credentials: credentials,
            version: ProductVersion.text
        )
        guard let given = try fetch(job).certificate else { return }
        try directory.keep(given)
        log.info("certificate obtained", ["directory": .text(directory.path)])
    }

    /// Keeps a certificate that came with the keys; where that fails, the present one goes on.
    func keepRenewed(_ given: GivenCertificate) {
        guard let directory = credentialDirectory else { return }
        do throws(Errno) {
            try directory.renew(given)
            log.info("certificate renewed", ["directory": .text(directory.path)])
        } catch {
            log.warning(
                "the renewed certificate cannot be kept: \(error)",
                ["directory": .text(directory.path)]
            )
        }
    }

    /// Keeps a token that came with the keys where the one it takes the place of was read from.
    func keepRenewed(_ token: SecretBytes) {
        // One line, as it was: what comes from the network goes into no file unseen.
        guard token.withUnsafeBytes({ $0.allSatisfy { (0x21...0x7E).contains($0) } }) else {
            return
        }
        guard let path = settings.tokenPath, environment?.contains("STORE_TOKEN") != true else {
            log.info("the key server gave a new token, and there is no --token-file to keep it in")
            return
        }
        do throws(Errno) {
            let line = SecretBytes.concatenating([token, SecretBytes(copying: [0x0A])])
            try SecretFile.write(path: absolute(path), contents: line)
            log.info("token renewed", ["path": .text(path)])
        } catch {
            log.warning("the renewed token cannot be kept: \(error)", ["path": .text(path)])
        }
    }
}
