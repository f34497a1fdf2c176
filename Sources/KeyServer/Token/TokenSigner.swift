internal import Crypto
internal import Cryptography
internal import FoundationEssentials
internal import KeyProtocol
internal import Synchronization

/// Signs devices' tokens, and tells genuine ones from others: ECDSA P-256 with SHA-256.
///
/// Its keys are in the store, sealed: every server of a store that was given the root key takes the
/// tokens of every other, and who can write to the database cannot put in a key of their own.
final class TokenSigner: Sendable {
    private let storage: any Storage
    private let vault: KeyVault

    /// Keys that were opened, by id: a store has a few.
    private let opened = Mutex<[String: P256.Signing.PrivateKey]>([:])

    /// When each was last seen in the store.
    private let seen = Mutex<[String: ContinuousClock.Instant]>([:])

    /// For how long a key is taken to be in the store still.
    ///
    /// So long may what it signed pass for genuine after an operator has removed it. The tokens
    /// themselves are revoked at once.
    private static let trust = Duration.seconds(1)

    /// Uses a store's keys.
    ///
    /// - Parameters:
    ///   - storage: Where they are.
    ///   - vault: Opens them.
    init(_ storage: any Storage, _ vault: KeyVault) {
        self.storage = storage
        self.vault = vault
    }

    /// Makes a key to sign with.
    ///
    /// - Parameters:
    ///   - vault: Seals it.
    ///   - now: When that is.
    /// - Returns: What the database may hold.
    static func makeKey(_ vault: KeyVault, at now: Timestamp) -> TokenKeyRecord {
        let id = Hexadecimal.encode(RandomBytes.make(count: 8))
        var bytes = Array(P256.Signing.PrivateKey().rawRepresentation)
        defer { bytes.withUnsafeMutableBytes { Wipe.zero($0) } }
        return TokenKeyRecord(
            id: id,
            sealed: vault.sealTokenKey(SecretBytes(copying: bytes), id: id),
            createdAt: now
        )
    }

    /// Signs with the newest key.
    ///
    /// - Parameter claims: What the token says.
    /// - Returns: The token.
    /// - Throws: ``KeyServerError``.
    func sign(_ claims: TokenClaims) throws(KeyServerError) -> SecretBytes {
        let record = try storage.transaction(.reading) { store throws(KeyServerError) in
            try store.newestTokenKey()
        }
        guard let record else { throw .sealing(reason: "the store has no key to sign tokens with") }
        return try sign(claims, with: record)
    }

    /// Signs with a key, in the transaction that may have made it.
    func sign(
        _ claims: TokenClaims,
        with record: TokenKeyRecord
    ) throws(KeyServerError) -> SecretBytes {
        let key = try open(record)
        return try DeviceToken.text(claims, keyID: record.id) { text throws(KeyServerError) in
            do {
                return Array(try key.signature(for: text).rawRepresentation)
            } catch {
                throw .sealing(reason: "a token could not be signed: \(error)")
            }
        }
    }

    /// Checks that a text is a token of this store's; not whether it is still good.
    ///
    /// - Parameter text: As it was sent.
    /// - Returns: What it says.
    /// - Throws: ``TokenError``; ``KeyServerError`` where that could not be found out.
    func verify(_ text: SecretBytes) throws -> TokenClaims {
        let token = try DeviceToken(parsing: text)
        guard let key = try key(token.keyID) else { throw TokenError.unknownKey }
        guard
            let signature = try? P256.Signing.ECDSASignature(rawRepresentation: token.signature),
            key.publicKey.isValidSignature(signature, for: token.signedText)
        else { throw TokenError.signature }
        return token.claims
    }

    private func key(_ id: String) throws(KeyServerError) -> P256.Signing.PrivateKey? {
        let now = ContinuousClock.now
        if let last = seen.withLock({ $0[id] }), now - last < Self.trust,
            let known = opened.withLock({ $0[id] })
        {
            return known
        }
        let record = try storage.transaction(.reading) { store throws(KeyServerError) in
            try store.tokenKey(id: id)
        }
        guard let record else { return nil }
        let key = try open(record)
        seen.withLock { $0[id] = now }
        return key
    }

    private func open(_ record: TokenKeyRecord) throws(KeyServerError) -> P256.Signing.PrivateKey {
        if let known = opened.withLock({ $0[record.id] }) { return known }
        let bytes = try vault.openTokenKey(record.sealed, id: record.id)
        do {
            let key = try bytes.withUnsafeBytes {
                try P256.Signing.PrivateKey(rawRepresentation: $0)
            }
            opened.withLock { $0[record.id] = key }
            return key
        } catch {
            throw .sealing(reason: "the key that signs tokens is malformed")
        }
    }
}
