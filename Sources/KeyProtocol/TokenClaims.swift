internal import Cryptography
internal import JSONText

/// What a device's token says.
public struct TokenClaims: Sendable, Equatable {
    /// The token's id, by which it is revoked: `jti`.
    public var id: String

    /// The device it was made for (`sub`), for the log: the store knows whose it is.
    public var device: String

    /// The keys it is good for, of those the device may have; nil for all of them.
    public var keys: [String]?

    /// When it was made, and since when it is good, in seconds since 1970: `iat`, `nbf`.
    public var issuedAt: Int

    /// Until when it is good: `exp`.
    public var expiresAt: Int

    /// Whom it is for: `aud`.
    public static let audience = "secure-store"

    static let maximumTextCount = 128

    /// Seconds since 1970 that make sense: until the year 9999.
    private static let times = 0...253_402_300_799

    /// Describes a token.
    public init(id: String, device: String, keys: [String]?, issuedAt: Int, expiresAt: Int) {
        self.id = id
        self.device = device
        self.keys = keys
        self.issuedAt = issuedAt
        self.expiresAt = expiresAt
    }

    /// Reads claims; members that it does not know it passes over.
    ///
    /// - Throws: ``TokenError/claim(member:)``, ``TokenError/audience``.
    init(_ object: JSONObject) throws(TokenError) {
        guard try Self.text("aud", of: object) == Self.audience else { throw .audience }
        id = try Self.text("jti", of: object)
        device = try Self.text("sub", of: object)
        let (issued, expires) = (
            try Self.time("iat", of: object), try Self.time("exp", of: object)
        )
        guard expires > issued else { throw .claim(member: "exp") }
        guard try Self.time("nbf", of: object) == issued else { throw .claim(member: "nbf") }
        issuedAt = issued
        expiresAt = expires
        do throws(JSONError) {
            keys = try object.texts(
                "keys",
                maximum: UnlockLimits.maximumKeys,
                limit: UnlockLimits.maximumKeyNameCount
            )
        } catch {
            throw .claim(member: "keys")
        }
    }

    /// The claims as they are signed.
    func encoded() -> SecretBytes {
        var json = JSONWriter()
        json.append(#"{"aud":"\#(Self.audience)","sub":"#)
        json.append(quoting: device)
        json.append(#","jti":"#)
        json.append(quoting: id)
        json.append(#","iat":\#(issuedAt),"nbf":\#(issuedAt),"exp":\#(expiresAt)"#)
        if let keys {
            json.append(#","keys":"#)
            json.append(listing: keys)
        }
        json.append("}")
        return json.text
    }

    private static func text(_ name: String, of object: JSONObject) throws(TokenError) -> String {
        do throws(JSONError) {
            if let text = try object.text(name, limit: maximumTextCount), !text.isEmpty {
                return text
            }
        } catch {}
        throw .claim(member: name)
    }

    private static func time(_ name: String, of object: JSONObject) throws(TokenError) -> Int {
        do throws(JSONError) {
            if let time = try object.integer(name), times.contains(time) { return time }
        } catch {}
        throw .claim(member: name)
    }
}
