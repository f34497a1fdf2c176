internal import COpenSSL

/// An authority that is known by the SHA-256 of its certificate only; the certificate itself the
/// server shows, behind its own.
///
/// The chain is verified as ever, with dates, purposes and the host's name: the digest says no more
/// than which certificate it has to lead to.
final class PinnedAuthority {
    private let digest: [UInt8]

    /// Pins an authority.
    ///
    /// - Parameter digest: SHA-256 of the DER form: 32 bytes.
    init(digest: [UInt8]) {
        self.digest = digest
    }

    /// Has connections of a context lead to the authority; this must outlive the context.
    ///
    /// C: `SSL_CTX_set_cert_verify_callback`.
    func attach(to context: OpaquePointer) {
        SSL_CTX_set_cert_verify_callback(
            context,
            { store, pin in
                guard let store, let pin else { return 0 }
                let authority = Unmanaged<PinnedAuthority>.fromOpaque(pin).takeUnretainedValue()
                authority.trust(presentedIn: store)
                return X509_verify_cert(store)
            },
            Unmanaged.passUnretained(self).toOpaque()
        )
    }

    /// Whether a certificate is the authority's.
    ///
    /// C: `X509_digest`.
    func isAuthority(_ certificate: OpaquePointer) -> Bool {
        var count: UInt32 = 0
        let found = [UInt8](unsafeUninitializedCapacity: Int(EVP_MAX_MD_SIZE)) { buffer, length in
            let isDone = X509_digest(certificate, EVP_sha256(), buffer.baseAddress, &count)
            length = isDone == 1 ? Int(count) : 0
        }
        return !digest.isEmpty && found == digest
    }

    /// Trusts what the server shows, where it is the authority's certificate.
    private func trust(presentedIn context: OpaquePointer) {
        guard let trusted = X509_STORE_CTX_get0_store(context),
            let presented = X509_STORE_CTX_get0_untrusted(context)
        else { return }
        for index in 0..<max(0, OPENSSL_sk_num(presented)) {
            guard let entry = OPENSSL_sk_value(presented, index) else { continue }
            let certificate = OpaquePointer(entry)
            if isAuthority(certificate) { X509_STORE_add_cert(trusted, certificate) }
        }
    }
}
