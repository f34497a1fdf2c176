internal import COpenSSL
internal import KeyProtocol

/// The hosts a certificate is for, fit to be shown.
enum CertificateNames {
    /// At most this many are shown.
    private static let maximum = 4

    /// Reads the host names and addresses, or the common name where there are none.
    ///
    /// C: `X509_get_ext_d2i` with `NID_subject_alt_name`.
    static func read(_ certificate: OpaquePointer) -> [String] {
        let names = alternativeNames(certificate)
        return names.isEmpty ? commonName(certificate).map { [$0] } ?? [] : names
    }

    private static func alternativeNames(_ certificate: OpaquePointer) -> [String] {
        guard let raw = X509_get_ext_d2i(certificate, NID_subject_alt_name, nil, nil) else {
            ERR_clear_error()
            return []
        }
        let list = OpaquePointer(raw)
        defer { GENERAL_NAMES_free(list) }
        var names: [String] = []
        for index in 0..<max(0, OPENSSL_sk_num(list)) where names.count < maximum {
            guard let entry = OPENSSL_sk_value(list, index) else { continue }
            var type: Int32 = 0
            let value = GENERAL_NAME_get0_value(
                entry.assumingMemoryBound(to: GENERAL_NAME.self),
                &type
            )
            guard let value else { continue }
            let string = UnsafePointer(value.assumingMemoryBound(to: ASN1_STRING.self))
            switch type {
            case GEN_DNS: names.append(ShownText.make(text(string), limit: 100))
            case GEN_IPADD: if let address = address(string) { names.append(address) }
            default: break
            }
        }
        return names
    }

    private static func commonName(_ certificate: OpaquePointer) -> String? {
        guard let subject = X509_get_subject_name(certificate) else { return nil }
        let index = X509_NAME_get_index_by_NID(subject, NID_commonName, -1)
        guard index >= 0, let entry = X509_NAME_get_entry(subject, index),
            let string = X509_NAME_ENTRY_get_data(entry)
        else { return nil }
        return ShownText.make(text(UnsafePointer(string)), limit: 100)
    }

    private static func bytes(_ string: UnsafePointer<ASN1_STRING>) -> UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(
            start: ASN1_STRING_get0_data(string),
            count: max(0, Int(ASN1_STRING_length(string)))
        )
    }

    private static func text(_ string: UnsafePointer<ASN1_STRING>) -> String {
        String(decoding: bytes(string), as: UTF8.self)
    }

    private static func address(_ string: UnsafePointer<ASN1_STRING>) -> String? {
        let bytes = Array(bytes(string))
        switch bytes.count {
        case 4:
            return bytes.map { "\($0)" }.joined(separator: ".")
        case 16:
            return stride(from: 0, to: 16, by: 2)
                .map { String(UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]), radix: 16) }
                .joined(separator: ":")
        default:
            return nil
        }
    }
}
