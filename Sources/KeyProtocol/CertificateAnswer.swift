public import Cryptography
internal import JSONText

/// A certificate that a server has given a device: the body of `200` to `POST /v1/enroll` and to
/// `POST /v1/renew`.
///
/// Protocol: `docs/protocol.md`, "POST /v1/enroll".
public struct CertificateAnswer: Sendable, Equatable {
    /// The name the server knows the device by.
    public var device: String

    /// The device's certificate, PEM.
    public var certificate: String

    /// The authority's certificate, PEM: what the device trusts servers by.
    public var authority: String

    /// Longest certificate, in bytes of PEM.
    public static let maximumCertificateCount = 8192

    /// Describes an answer.
    public init(device: String, certificate: String, authority: String) {
        self.device = device
        self.certificate = certificate
        self.authority = authority
    }

    /// Reads an answer's body, and holds it to the limits.
    ///
    /// - Parameter body: JSON.
    /// - Throws: ``WireError``.
    public init(decoding body: SecretBytes) throws(WireError) {
        self = try json { () throws(JSONError) in
            guard let root = try JSONDocument(body).root else { throw .notJSON(offset: 0) }
            let limit = Self.maximumCertificateCount
            guard let device = try root.text("device", limit: UnlockLimits.maximumDeviceCount)
            else { throw .missing(member: "device") }
            guard let certificate = try root.text("certificate", limit: limit) else {
                throw .missing(member: "certificate")
            }
            guard let authority = try root.text("ca", limit: limit) else {
                throw .missing(member: "ca")
            }
            return CertificateAnswer(
                device: device,
                certificate: certificate,
                authority: authority
            )
        }
    }

    /// The body, in UTF-8.
    public func encoded() -> SecretBytes {
        var json = JSONWriter()
        json.append(#"{"device":"#)
        json.append(quoting: device)
        json.append(#","certificate":"#)
        json.append(quoting: certificate)
        json.append(#","ca":"#)
        json.append(quoting: authority)
        json.append("}")
        return json.text
    }
}
