public import Cryptography
internal import JSONText

/// What a device asks a certificate with: the body of `POST /v1/enroll` and of `POST /v1/renew`.
///
/// Protocol: `docs/protocol.md`, "POST /v1/enroll".
public struct CertificateRequest: Sendable {
    /// The one-time token; nil to renew, where the present certificate takes its place.
    public var token: SecretBytes?

    /// A certificate signing request (PKCS#10), PEM, of which only the key counts.
    public var request: String

    /// The version of the device's software.
    public var version: String

    /// Longest signing request, in bytes of PEM: one for P-256 has some 400.
    public static let maximumRequestCount = 4096

    /// Longest body, in bytes.
    public static let maximumBodyCount = 8192

    /// Describes a request.
    ///
    /// - Parameters:
    ///   - token: The one-time token's text; nil to renew.
    ///   - request: PEM, at most ``maximumRequestCount`` bytes.
    ///   - version: At most ``UnlockLimits/maximumVersionCount`` bytes.
    public init(token: SecretBytes?, request: String, version: String) {
        self.token = token
        self.request = request
        self.version = version
    }

    /// Reads a request's body, and holds it to the limits.
    ///
    /// Members it does not know it passes over.
    ///
    /// - Parameter body: JSON.
    /// - Throws: ``WireError``.
    public init(decoding body: SecretBytes) throws(WireError) {
        self = try json { () throws(JSONError) in
            guard body.count <= Self.maximumBodyCount else { throw .tooLong }
            guard let root = try JSONDocument(body).root else { throw .notJSON(offset: 0) }
            let token = try root.secret("token")
            guard token.map({ $0.count <= 256 }) != false else { throw .invalid(member: "token") }
            guard let request = try root.text("csr", limit: Self.maximumRequestCount) else {
                throw .missing(member: "csr")
            }
            return CertificateRequest(
                token: token,
                request: request,
                version: try root.text("version", limit: UnlockLimits.maximumVersionCount) ?? ""
            )
        }
    }

    /// The body, in UTF-8.
    ///
    /// - Throws: ``WireError`` for a token that is no text.
    public func encoded() throws(WireError) -> SecretBytes {
        var writer = JSONWriter()
        writer.append("{")
        if let token {
            writer.append(#""token":"#)
            try json { () throws(JSONError) in try writer.append(quoting: token) }
            writer.append(",")
        }
        writer.append(#""csr":"#)
        writer.append(quoting: request)
        writer.append(#","version":"#)
        writer.append(quoting: version)
        writer.append("}")
        return writer.text
    }
}
