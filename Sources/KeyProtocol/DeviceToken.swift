public import Cryptography
internal import JSONText

/// What a device may show in place of a certificate: a JWT (RFC 7519), signed with ES256 as a
/// compact JWS (RFC 7515).
///
///     base64url(header) "." base64url(claims) "." base64url(r ‖ s, 64 bytes)
///
/// Read strictly: one algorithm, no header member that would have a verifier do something else, no
/// member twice, no padding, no white space, nothing that could be written in two ways.
public struct DeviceToken: Sendable, Equatable {
    /// What the token says.
    public let claims: TokenClaims

    /// Which of the store's keys signed it: `kid`.
    public let keyID: String

    /// What is signed: header and claims as they were sent.
    public let signedText: [UInt8]

    /// `r` ‖ `s`: 64 bytes.
    public let signature: [UInt8]

    /// Longest token, in bytes.
    public static let maximumCount = 4096

    /// The algorithm, and there is no other.
    private static let algorithm = "ES256"

    private static let signatureCount = 64

    /// Reads a token; says nothing of whether it is genuine.
    ///
    /// - Parameter text: As it was sent.
    /// - Throws: ``TokenError``.
    public init(parsing text: SecretBytes) throws(TokenError) {
        guard text.count <= Self.maximumCount else { throw .tooLong }
        let parts = text.withUnsafeBytes { bytes in
            bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
                .map { Array($0) }
        }
        guard parts.count == 3 else { throw .notCompact }
        let header = try Self.object(parts[0])
        guard try Self.text("alg", of: header) == Self.algorithm else { throw .algorithm }
        let known: Set = ["alg", "typ", "kid"]
        for name in header.names where !known.contains(name) { throw .header(member: name) }
        if header.has("typ"), try Self.text("typ", of: header) != "JWT" {
            throw .header(member: "typ")
        }
        guard let keyID = try Self.text("kid", of: header) else { throw .header(member: "kid") }
        claims = try TokenClaims(Self.object(parts[1]))
        signature = try Self.bytes(parts[2])
        guard signature.count == Self.signatureCount else { throw .signature }
        self.keyID = keyID
        signedText = parts[0] + [UInt8(ascii: ".")] + parts[1]
    }

    /// Writes a token.
    ///
    /// - Parameters:
    ///   - claims: What it says.
    ///   - keyID: Which key signs it.
    ///   - sign: Gives `r` ‖ `s` for a text, 64 bytes.
    /// - Returns: The token.
    /// - Throws: What `sign` throws.
    public static func text<Failure: Error>(
        _ claims: TokenClaims,
        keyID: String,
        sign: ([UInt8]) throws(Failure) -> [UInt8]
    ) throws(Failure) -> SecretBytes {
        var header = JSONWriter()
        header.append(#"{"alg":"\#(algorithm)","typ":"JWT","kid":"#)
        header.append(quoting: keyID)
        header.append("}")
        let signed = [header.text, claims.encoded()].map { part in
            part.withUnsafeBytes { Base64.encode($0, as: .url) }
        }.joined(separator: ".")
        let signature = try sign(Array(signed.utf8))
        return SecretBytes.concatenating([
            SecretBytes(copying: signed.utf8), SecretBytes(copying: ".".utf8),
            signature.withUnsafeBytes { Base64.encodeSecret($0, as: .url) },
        ])
    }

    private static func object(_ part: [UInt8]) throws(TokenError) -> JSONObject {
        let text = try bytes(part)
        let document: JSONDocument
        do throws(JSONError) {
            document = try JSONDocument(SecretBytes(copying: text))
        } catch {
            throw .notJSON
        }
        guard let root = document.root else { throw .notJSON }
        return root
    }

    private static func text(_ name: String, of object: JSONObject) throws(TokenError) -> String? {
        do throws(JSONError) {
            return try object.text(name, limit: TokenClaims.maximumTextCount)
        } catch {
            throw .header(member: name)
        }
    }

    /// Decodes what can be written in one way only.
    private static func bytes(_ part: [UInt8]) throws(TokenError) -> [UInt8] {
        // The decoder passes over white space, and has no opinion of an empty text.
        guard !part.isEmpty, part.allSatisfy({ $0 > 0x20 }) else { throw .encoding }
        do throws(CryptographyError) {
            return try SecretBytes(copying: part).withUnsafeBytes {
                bytes throws(CryptographyError) in try Base64.decode(bytes, as: .url)
            }
        } catch {
            throw .encoding
        }
    }
}

/// Why a text is no token of ours; the server's log says it, the answer does not.
public enum TokenError: Error, Equatable, Sendable {
    /// Longer than any token.
    case tooLong

    /// Not three parts with two dots in between.
    case notCompact

    /// A part is not base64url without padding, or not the shortest such text.
    case encoding

    /// Header or claims are no JSON object, or have a member twice.
    case notJSON

    /// Signed with something else than ES256, or with nothing.
    case algorithm

    /// The header has a member that it must not have, or lacks one, or has it in another form.
    case header(member: String)

    /// A claim is missing or malformed.
    case claim(member: String)

    /// It is for somebody else.
    case audience

    /// The signature is not the store's.
    case signature

    /// Signed with a key that the store has not.
    case unknownKey
}

extension TokenError: CustomStringConvertible {
    /// A few words for the log.
    public var description: String {
        switch self {
        case .tooLong: "longer than \(DeviceToken.maximumCount) bytes"
        case .notCompact: "not three parts"
        case .encoding: "not base64url"
        case .notJSON: "not JSON"
        case .algorithm: "not signed with ES256"
        case .header(let member): "header: \(ShownText.make(member, limit: 32))"
        case .claim(let member): "claim: \(member)"
        case .audience: "for another audience"
        case .signature: "the signature is not good"
        case .unknownKey: "signed with an unknown key"
        }
    }
}
