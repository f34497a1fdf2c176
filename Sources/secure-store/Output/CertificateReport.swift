internal import KeyServer

/// What `--json` prints of a certificate.
struct CertificateReport: Encodable {
    var name: String
    var alternativeNames: [String]
    var serialNumber: String
    var notBefore: String
    var notAfter: String
    var fingerprint: String

    /// Copies what is printed.
    init(_ info: CertificateInfo) {
        name = info.name
        alternativeNames = info.alternativeNames
        serialNumber = info.serialNumber
        notBefore = info.notBefore.date
        notAfter = info.notAfter.date
        fingerprint = info.fingerprint
    }

    private enum CodingKeys: String, CodingKey {
        case name, fingerprint
        case alternativeNames = "alternative_names"
        case serialNumber = "serial_number"
        case notBefore = "not_before"
        case notAfter = "not_after"
    }
}
