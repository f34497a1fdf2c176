internal import COpenSSL
internal import Cryptography

/// How this device does TLS: what it shows, what it trusts, which versions it takes.
///
/// C: `SSL_CTX`.
struct TLSContext: ~Copyable {
    private let context: OpaquePointer
    private let pin: PinnedAuthority?

    // Macros with casts, which the importer does not see.
    private static let cleansePlaintext: UInt64 = 1 << 1
    private static let noTickets: UInt64 = 1 << 14
    private static let noRenegotiation: UInt64 = 1 << 30

    /// Loads credentials, none of which touches a file.
    ///
    /// - Parameter credentials: PEM.
    /// - Throws: ``FetchError/misconfigured(message:)``.
    init(_ credentials: Credentials) throws(FetchError) {
        OpenSSLLibrary.isReady
        let usable = try UsableCredentials(credentials)
        guard let context = SSL_CTX_new(TLS_client_method()) else {
            throw .misconfigured(message: "OpenSSL: \(OpenSSLFailure.drained().text)")
        }
        let pin = usable.pin.map(PinnedAuthority.init)
        do throws(FetchError) {
            try Self.restrict(context)
            try Self.show(usable, on: context)
            try Self.trust(usable, on: context)
        } catch {
            SSL_CTX_free(context)
            throw error
        }
        self.context = context
        self.pin = pin
        pin?.attach(to: context)
    }

    deinit {
        SSL_CTX_free(context)
    }

    /// A connection that is not connected to anything yet.
    ///
    /// C: `SSL_new`.
    func makeConnection() throws(FetchFailure) -> OpaquePointer {
        ERR_clear_error()
        guard let connection = SSL_new(context) else {
            throw .tls(reason: OpenSSLFailure.drained().text)
        }
        return connection
    }

    private static func restrict(_ context: OpaquePointer) throws(FetchError) {
        // 1.2 stays for the original's servers where they were built with old toolchains, and for
        // the proxies people put before them; ECDHE and AEAD only, so nothing of it is weak.
        let ciphers =
            "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
            + "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
            + "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"
        let version = SSL_CTX_ctrl(
            context,
            SSL_CTRL_SET_MIN_PROTO_VERSION,
            Int(TLS1_2_VERSION),
            nil
        )
        guard version == 1, SSL_CTX_set_cipher_list(context, ciphers) == 1 else {
            throw .misconfigured(message: "OpenSSL: \(OpenSSLFailure.drained().text)")
        }
        SSL_CTX_set_options(context, cleansePlaintext | noTickets | noRenegotiation)
        SSL_CTX_set_security_level(context, 2)
        // Servers that could also speak HTTP/2 are told not to. 0 is success here.
        let protocols = Array("\u{8}http/1.1".utf8)
        SSL_CTX_set_alpn_protos(context, protocols, UInt32(protocols.count))
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER, VerificationRecord.callback)
    }

    private static func show(
        _ credentials: borrowing UsableCredentials,
        on context: OpaquePointer
    ) throws(FetchError) {
        guard let certificate = credentials.certificate, let privateKey = credentials.privateKey
        else { return }
        let chain = try PEMCertificates(certificate, name: UsableCredentials.certificateName)
        let key = try PEMPrivateKey(privateKey, name: UsableCredentials.keyName)
        ERR_clear_error()
        guard SSL_CTX_use_certificate(context, chain[0]) == 1 else {
            throw .misconfigured(
                message: "\(UsableCredentials.certificateName) is not accepted: "
                    + OpenSSLFailure.drained().text
            )
        }
        guard SSL_CTX_use_PrivateKey(context, key.key) == 1,
            SSL_CTX_check_private_key(context) == 1
        else {
            _ = OpenSSLFailure.drained()
            throw .misconfigured(
                message: "\(UsableCredentials.keyName) does not belong to "
                    + UsableCredentials.certificateName
            )
        }
        for index in 1..<max(chain.count, 1) {
            let raw = UnsafeMutableRawPointer(chain[index])
            // The second 1 means that the context takes a reference of its own.
            guard SSL_CTX_ctrl(context, SSL_CTRL_CHAIN_CERT, 1, raw) == 1 else {
                throw .misconfigured(
                    message: "\(UsableCredentials.certificateName) is not accepted: "
                        + OpenSSLFailure.drained().text
                )
            }
        }
    }

    private static func trust(
        _ credentials: borrowing UsableCredentials,
        on context: OpaquePointer
    ) throws(FetchError) {
        guard let store = SSL_CTX_get_cert_store(context) else {
            throw .misconfigured(message: "OpenSSL: no certificate store")
        }
        // What was named is trusted, whether it signed itself or not.
        X509_STORE_set_flags(store, UInt(X509_V_FLAG_PARTIAL_CHAIN))
        guard let anchor = credentials.anchor else { return }
        let anchors = try PEMCertificates(anchor, name: credentials.anchorName)
        // Of the device's own text only its own certificate: what follows it is for the server.
        let count = credentials.anchorIsOwn ? 1 : anchors.count
        for index in 0..<count {
            ERR_clear_error()
            guard X509_STORE_add_cert(store, anchors[index]) == 1 else {
                throw .misconfigured(
                    message: "\(credentials.anchorName) is not accepted: "
                        + OpenSSLFailure.drained().text
                )
            }
        }
    }
}

/// OpenSSL as this process uses it.
enum OpenSSLLibrary {
    /// No configuration file of the host's, no engines: nothing outside this executable decides
    /// how keys are fetched.
    ///
    /// C: `OPENSSL_init_ssl` with `OPENSSL_INIT_NO_LOAD_CONFIG`.
    static let isReady: Void = {
        guard OPENSSL_init_ssl(UInt64(OPENSSL_INIT_NO_LOAD_CONFIG), nil) == 1 else {
            preconditionFailure("OPENSSL_init_ssl failed")
        }
    }()
}
