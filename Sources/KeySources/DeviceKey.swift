internal import COpenSSL
public import Cryptography
internal import Glibc

/// A device's private key, made on the device and never sent anywhere: ECDSA P-256.
public struct DeviceKey: ~Copyable {
    private let key: PEMPrivateKey

    /// Reads a key.
    ///
    /// - Parameter pem: Unencrypted.
    /// - Throws: ``FetchError/misconfigured(message:)``.
    public init(pem: SecretBytes) throws(FetchError) {
        OpenSSLLibrary.isReady
        key = try PEMPrivateKey(pem, name: UsableCredentials.keyName)
    }

    /// Makes a new key.
    ///
    /// - Returns: PKCS#8, PEM.
    /// - Throws: ``FetchError/misconfigured(message:)`` where OpenSSL cannot.
    ///
    /// C: `EVP_PKEY_keygen`, `PEM_write_bio_PrivateKey`.
    public static func generate() throws(FetchError) -> SecretBytes {
        OpenSSLLibrary.isReady
        ERR_clear_error()
        var key: OpaquePointer?
        defer { EVP_PKEY_free(key) }
        let context = EVP_PKEY_CTX_new_id(EVP_PKEY_EC, nil)
        defer { EVP_PKEY_CTX_free(context) }
        guard context != nil, EVP_PKEY_keygen_init(context) == 1,
            EVP_PKEY_CTX_set_ec_paramgen_curve_nid(context, NID_X9_62_prime256v1) == 1,
            EVP_PKEY_keygen(context, &key) == 1
        else { throw failure }
        return try text { PEM_write_bio_PrivateKey($0, key, nil, nil, 0, nil, nil) }
    }

    /// A certificate signing request (PKCS#10) for the key; it asks for nothing but a certificate.
    ///
    /// - Returns: PEM.
    /// - Throws: ``FetchError/misconfigured(message:)`` where OpenSSL cannot.
    ///
    /// C: `X509_REQ_sign`.
    public borrowing func signingRequest() throws(FetchError) -> String {
        ERR_clear_error()
        let request = X509_REQ_new()
        defer { X509_REQ_free(request) }
        guard request != nil, X509_REQ_set_version(request, 0) == 1,
            X509_REQ_set_pubkey(request, key.key) == 1,
            X509_REQ_sign(request, key.key, EVP_sha256()) > 0
        else { throw Self.failure }
        return try Self.text { PEM_write_bio_X509_REQ($0, request) }
            .withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
    }

    /// Whether a certificate is for this key.
    ///
    /// C: `X509_check_private_key`.
    borrowing func belongs(to certificate: borrowing PEMCertificates) -> Bool {
        defer { ERR_clear_error() }
        return X509_check_private_key(certificate[0], key.key) == 1
    }

    private static var failure: FetchError {
        .misconfigured(message: "OpenSSL: \(OpenSSLFailure.drained().text)")
    }

    /// What a function writes; the memory in between is wiped by OpenSSL.
    ///
    /// C: `BIO_s_mem`.
    private static func text(
        _ write: (OpaquePointer) -> Int32
    ) throws(FetchError) -> SecretBytes {
        guard let buffer = BIO_new(BIO_s_mem()) else { throw failure }
        defer { BIO_free(buffer) }
        guard write(buffer) == 1 else { throw failure }
        let count = BIO_ctrl_pending(buffer)
        var got: Int32 = 0
        let text = SecretBytes(count: count) { bytes in
            got = BIO_read(buffer, bytes.baseAddress, Int32(clamping: count))
        }
        guard Int(got) == count else { throw failure }
        return text
    }
}
