internal import AccessRules
internal import Crypto
public import Cryptography
internal import FoundationEssentials
internal import SwiftASN1
internal import X509

/// What a certificate says, for people and for the log.
public struct CertificateInfo: Equatable, Sendable {
    /// The first DNS name among the alternative names, else the common name, else nothing.
    public let name: String

    /// Every DNS name and address it stands for.
    public let alternativeNames: [String]

    /// Lower-case hexadecimal.
    public let serialNumber: String

    /// First moment of validity.
    public let notBefore: Timestamp

    /// Last moment of validity.
    public let notAfter: Timestamp

    /// SHA-256 of the DER form, lower-case hexadecimal.
    public let fingerprint: String

    /// Reads the first certificate of a PEM file.
    ///
    /// - Throws: ``KeyServerError``.
    public init(readingFile path: String) throws(KeyServerError) {
        try self.init(pem: StateFile.read(path), source: path)
    }

    /// Reads the first certificate of a PEM text.
    ///
    /// - Parameters:
    ///   - pem: The text.
    ///   - source: How an error names it.
    /// - Throws: ``KeyServerError/certificate(source:reason:)``.
    public init(pem: SecretBytes, source: String) throws(KeyServerError) {
        do {
            let documents = try PEMDocument.parseMultiple(pemString: pem.text)
            guard
                let document = documents.first(where: { $0.discriminator == "CERTIFICATE" })
            else {
                throw KeyServerError.certificate(source: source, reason: "holds no certificate")
            }
            try self.init(der: document.derBytes)
        } catch let error as KeyServerError {
            throw error
        } catch {
            throw .certificate(source: source, reason: "is no PEM certificate: \(error)")
        }
    }

    /// Reads a certificate.
    ///
    /// - Parameter der: Its DER form.
    /// - Throws: What the parser says.
    init(der: [UInt8]) throws {
        let certificate = try Certificate(derEncoded: der)
        var names: [String] = []
        var firstDNSName: String?
        for name in try certificate.extensions.subjectAlternativeNames ?? .init() {
            switch name {
            case .dnsName(let text):
                firstDNSName = firstDNSName ?? text
                names.append(text)
            case .ipAddress(let octets):
                let address = Array(octets.bytes).withUnsafeBytes { IPAddress(bytes: $0) }
                names.append(address?.description ?? "invalid address")
            default: break
            }
        }
        alternativeNames = names
        name = firstDNSName ?? Self.commonName(of: certificate.subject) ?? ""
        serialNumber = Hexadecimal.encode(certificate.serialNumber.bytes)
        notBefore = Timestamp(certificate.notValidBefore)
        notAfter = Timestamp(certificate.notValidAfter)
        fingerprint = Hexadecimal.encode(Crypto.SHA256.hash(data: der))
    }

    private static func commonName(of subject: DistinguishedName) -> String? {
        for part in subject {
            for attribute in part where attribute.type == .RDNAttributeType.commonName {
                return String(attribute.value)
            }
        }
        return nil
    }
}

extension Timestamp {
    init(_ date: Date) {
        self.init(seconds: Int(date.timeIntervalSince1970))
    }
}
