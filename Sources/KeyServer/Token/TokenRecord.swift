/// What the store knows of a device's token; not the token, nor what signs it.
public struct TokenRecord: Equatable, Sendable {
    /// The token's id: `jti`.
    public var id: String

    /// The id of the first of those it was renewed from: all of them are revoked together.
    public var family: String

    /// Whose it is.
    public var device: Int

    /// The keys it is good for; `nil` for all that the device may have.
    public var keys: [String]?

    /// Since when it is good.
    public var issuedAt: Timestamp

    /// Until when it is.
    public var expiresAt: Timestamp

    /// From when on it is refused.
    public var revokedAt: Timestamp?

    /// The token it was renewed by.
    public var successor: String?

    /// Whether half of its time is over.
    func isDue(at now: Timestamp) -> Bool {
        now.seconds - issuedAt.seconds > (expiresAt.seconds - issuedAt.seconds) / 2
    }
}

/// A key that tokens are signed with, as the store holds it.
public struct TokenKeyRecord: Equatable, Sendable {
    /// `kid`.
    public var id: String

    /// The private key, sealed; see ``KeyVault``.
    public var sealed: [UInt8]

    /// When it was made; the latest one signs.
    public var createdAt: Timestamp
}

/// Devices' tokens, and what signs them.
public protocol TokenStorage {
    /// The token of that id.
    func token(id: String) throws(KeyServerError) -> TokenRecord?

    /// A device's tokens, or all, the latest first.
    func tokens(ofDevice device: Int?) throws(KeyServerError) -> [TokenRecord]

    /// Adds a token.
    func insert(_ token: TokenRecord) throws(KeyServerError)

    /// Notes which token renewed another.
    func setSuccessor(_ successor: String, ofToken id: String) throws(KeyServerError)

    /// Forgets the tokens of a family that ended before.
    func removeTokens(ofFamily family: String, expiredBefore time: Timestamp) throws(KeyServerError)

    /// Has all tokens of a family end that have not ended.
    func revokeTokens(ofFamily family: String, at time: Timestamp) throws(KeyServerError)

    /// Has all tokens of a device end that have not ended.
    func revokeTokens(ofDevice device: Int, at time: Timestamp) throws(KeyServerError)

    /// Has all tokens end that have not ended.
    ///
    /// - Returns: How many those are.
    func revokeTokens(at time: Timestamp) throws(KeyServerError) -> Int

    /// The key of that id.
    func tokenKey(id: String) throws(KeyServerError) -> TokenKeyRecord?

    /// The key that signs; `nil` where there is none yet.
    func newestTokenKey() throws(KeyServerError) -> TokenKeyRecord?

    /// Adds a key.
    func insert(_ key: TokenKeyRecord) throws(KeyServerError)

    /// Forgets all keys but one: what they signed is nobody's word any more.
    func removeTokenKeys(but id: String) throws(KeyServerError)
}
