internal import COpenSSL
internal import Glibc
internal import KeyProtocol

/// What OpenSSL found wrong with the server's certificate, kept for the message: after a failed
/// handshake the certificate itself cannot be had any more.
final class VerificationRecord {
    /// The first thing that was wrong.
    private(set) var fault: CertificateFault?

    private let host: String
    private let trustsOwn: Bool

    /// Makes a record for a connection.
    ///
    /// - Parameters:
    ///   - host: Whose certificate it should be.
    ///   - trustsOwn: Whether nothing is trusted but the device's own certificate.
    init(host: String, trustsOwn: Bool) {
        self.host = host
        self.trustsOwn = trustsOwn
    }

    /// Attaches the record to a connection that it outlives.
    ///
    /// C: `SSL_set_ex_data`.
    func attach(to connection: OpaquePointer) -> Bool {
        SSL_set_ex_data(connection, Self.index, Unmanaged.passUnretained(self).toOpaque()) == 1
    }

    /// Called by OpenSSL for each certificate of the chain; changes nothing about the outcome.
    static let callback: SSL_verify_cb = { isValid, store in
        guard isValid != 1, let store,
            let connection = X509_STORE_CTX_get_ex_data(
                store,
                SSL_get_ex_data_X509_STORE_CTX_idx()
            ),
            let record = SSL_get_ex_data(OpaquePointer(connection), index)
        else { return isValid }
        Unmanaged<VerificationRecord>.fromOpaque(record).takeUnretainedValue().note(store)
        return isValid
    }

    /// The index OpenSSL keeps free for the application: `SSL_set_app_data`.
    private static let index: Int32 = 0

    private func note(_ store: OpaquePointer) {
        guard fault == nil else { return }
        let code = X509_STORE_CTX_get_error(store)
        let certificate = X509_STORE_CTX_get_current_cert(store)
        switch code {
        case X509_V_ERR_CERT_HAS_EXPIRED:
            let date = certificate.flatMap { day(X509_get0_notAfter($0)) } ?? "an unknown day"
            fault = .expired(on: date, today: today)
        case X509_V_ERR_CERT_NOT_YET_VALID:
            let date = certificate.flatMap { day(X509_get0_notBefore($0)) } ?? "an unknown day"
            fault = .notYetValid(from: date, today: today)
        case X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH:
            fault = .wrongHost(
                wanted: host,
                found: certificate.map { CertificateNames.read($0) } ?? []
            )
        default:
            let reason = X509_verify_cert_error_string(Int(code)).map { String(cString: $0) }
            fault = .untrusted(reason: reason ?? "error \(code)", trustsOwn: trustsOwn)
        }
    }

    private var today: String {
        var now = time(nil)
        var parts = tm()
        gmtime_r(&now, &parts)
        return text(parts)
    }

    private func day(_ time: UnsafePointer<ASN1_TIME>?) -> String? {
        var parts = tm()
        guard ASN1_TIME_to_tm(time, &parts) == 1 else { return nil }
        return text(parts)
    }

    /// As ISO 8601 has it.
    private func text(_ parts: tm) -> String {
        func padded(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(parts.tm_year + 1900)-\(padded(parts.tm_mon + 1))-\(padded(parts.tm_mday))"
    }
}
