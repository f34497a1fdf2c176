internal import COpenSSL
internal import Cryptography

/// Certificates out of a PEM text, in its order.
struct PEMCertificates: ~Copyable {
    private var certificates: [OpaquePointer] = []

    /// Reads every certificate of the text.
    ///
    /// - Parameters:
    ///   - pem: `CERTIFICATE` blocks; what stands between them is passed over.
    ///   - name: What to call the text in a message.
    /// - Throws: ``FetchError/misconfigured(message:)`` where there is none, or one is malformed.
    ///
    /// C: `PEM_read_bio_X509`.
    init(_ pem: SecretBytes, name: String) throws(FetchError) {
        let found = try pem.withPEMReader(name: name) { reader throws(FetchError) in
            var found: [OpaquePointer] = []
            while true {
                ERR_clear_error()
                guard let certificate = PEM_read_bio_X509(reader, nil, nil, nil) else { break }
                found.append(certificate)
            }
            let failure = OpenSSLFailure.drained()
            guard failure.has(PEM_R_NO_START_LINE, of: ERR_LIB_PEM), !found.isEmpty else {
                for certificate in found { X509_free(certificate) }
                throw .misconfigured(
                    message: failure.has(PEM_R_NO_START_LINE, of: ERR_LIB_PEM)
                        ? "\(name) holds no certificate: it should be PEM that begins with "
                            + "-----BEGIN CERTIFICATE-----"
                        : "\(name) holds a malformed certificate: \(failure.text)"
                )
            }
            return found
        }
        certificates = found
    }

    deinit {
        for certificate in certificates { X509_free(certificate) }
    }

    /// How many there are; 1 or more.
    var count: Int { certificates.count }

    /// Whether two thirds of the first one's time are over, by the clock here.
    ///
    /// C: `X509_get0_notBefore`, `ASN1_TIME_diff`.
    var isPastTwoThirds: Bool {
        let (begin, end) = (X509_get0_notBefore(self[0]), X509_get0_notAfter(self[0]))
        guard let whole = Self.seconds(from: begin, to: end),
            let gone = Self.seconds(from: begin, to: nil)
        else { return false }
        return gone > whole / 3 * 2
    }

    /// The seconds between two moments; nil stands for now.
    private static func seconds(
        from begin: UnsafePointer<ASN1_TIME>?,
        to end: UnsafePointer<ASN1_TIME>?
    ) -> Int? {
        var days: Int32 = 0
        var seconds: Int32 = 0
        guard ASN1_TIME_diff(&days, &seconds, begin, end) == 1 else { return nil }
        return Int(days) * 86_400 + Int(seconds)
    }

    /// Lends one of them.
    subscript(index: Int) -> OpaquePointer { certificates[index] }
}

/// A private key out of a PEM text.
struct PEMPrivateKey: ~Copyable {
    /// Valid as long as this lives.
    let key: OpaquePointer

    /// Reads the key: PKCS#8, or the older forms of RSA and EC keys.
    ///
    /// - Parameters:
    ///   - pem: Unencrypted.
    ///   - name: What to call the text in a message.
    /// - Throws: ``FetchError/misconfigured(message:)``.
    ///
    /// C: `PEM_read_bio_PrivateKey`.
    init(_ pem: SecretBytes, name: String) throws(FetchError) {
        key = try pem.withPEMReader(name: name) { reader throws(FetchError) in
            ERR_clear_error()
            // Without a callback OpenSSL would ask at the terminal for a passphrase.
            let key = PEM_read_bio_PrivateKey(reader, nil, { _, _, _, _ in -1 }, nil)
            if let key { return key }
            let failure = OpenSSLFailure.drained()
            if failure.has(PEM_R_BAD_PASSWORD_READ, of: ERR_LIB_PEM) || pem.isEncryptedPEM {
                throw .misconfigured(
                    message: "\(name) is encrypted with a passphrase: decrypt it first "
                        + "(openssl pkey -in KEY -out PLAIN)"
                )
            }
            throw .misconfigured(
                message: "\(name) holds no private key: it should be PEM that begins with "
                    + "-----BEGIN PRIVATE KEY----- or -----BEGIN RSA PRIVATE KEY-----"
            )
        }
    }

    deinit {
        EVP_PKEY_free(key)
    }
}

extension SecretBytes {
    /// Lends the text to OpenSSL where it is, without a copy.
    ///
    /// C: `BIO_new_mem_buf`.
    fileprivate func withPEMReader<Result>(
        name: String,
        _ body: (OpaquePointer) throws(FetchError) -> Result
    ) throws(FetchError) -> Result {
        try withUnsafeBytes { bytes throws(FetchError) in
            guard let base = bytes.baseAddress, let count = Int32(exactly: bytes.count),
                let reader = BIO_new_mem_buf(base, count)
            else { throw .misconfigured(message: "\(name) cannot be read") }
            defer { BIO_free(reader) }
            return try body(reader)
        }
    }

    fileprivate var isEncryptedPEM: Bool {
        let word = Array("ENCRYPTED".utf8)
        return withUnsafeBytes { bytes in
            bytes.indices.contains { bytes[$0...].starts(with: word) }
        }
    }
}
