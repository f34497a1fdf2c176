public import Cryptography
internal import KeyProtocol

/// A token that is to be made.
public struct NewToken: Equatable, Sendable {
    /// Whose; added where it is not there yet, with fleet and tags.
    public var device: NewDevice

    /// The keys it is good for; `nil` for all that the device may have.
    public var keys: [String]?

    /// For how many seconds it is good.
    public var lifetime: Int

    /// Describes a token.
    public init(device: NewDevice, keys: [String]? = nil, lifetime: Int = 30 * 86_400) {
        self.device = device
        self.keys = keys
        self.lifetime = lifetime
    }
}

/// A token and whose it is.
public struct TokenListing: Equatable, Sendable {
    /// The token.
    public let token: TokenRecord

    /// Its device's name.
    public let device: String
}

extension Administration {
    /// Makes a token for a device, and with the first one the key that signs them.
    ///
    /// - Parameters:
    ///   - new: Whose, and for what.
    ///   - vault: Opens and seals the key that signs.
    ///   - deliver: Takes the token; where it fails, nothing has happened.
    /// - Returns: The token, and what the store knows of it.
    /// - Throws: ``KeyServerError``; ``KeyServerError/tokenKeyName(_:)`` for what is no key's name.
    public func addToken(
        _ new: NewToken,
        _ vault: KeyVault,
        deliver: (SecretBytes) throws(KeyServerError) -> Void = { _ in }
    ) throws(KeyServerError) -> (token: SecretBytes, record: TokenRecord) {
        for name in new.keys ?? [] where !KeyBundle.isName(name) { throw .tokenKeyName(name) }
        let name = new.device.name.text
        let signer = TokenSigner(storage, vault)
        return try perform("token.new") { store, now throws(KeyServerError) in
            let device: Int
            if let found = try store.device(named: name) {
                device = found.id
            } else {
                device = try store.insertDevice(
                    named: name,
                    fleet: new.device.fleet?.text,
                    tags: new.device.tags.map(\.text),
                    at: now
                )
            }
            let key: TokenKeyRecord
            if let found = try store.newestTokenKey() {
                key = found
            } else {
                key = TokenSigner.makeKey(vault, at: now)
                try store.insert(key)
            }
            let record = TokenRecord(
                device: device,
                keys: new.keys.map { Set($0).sorted() },
                lifetime: new.lifetime,
                at: now
            )
            try store.insert(record)
            let token = try signer.sign(record.claims(device: name), with: key)
            try deliver(token)
            return (
                (token, record),
                [
                    "device": .text(name), "token": .text(record.id),
                    "keys": record.keys.map { .list($0) }, "until": .text("\(record.expiresAt)"),
                ]
            )
        }
    }

    /// Has a token, those it was renewed from and those it was renewed by be refused from this moment
    /// on.
    ///
    /// - Throws: ``KeyServerError/noToken(_:)``, ``KeyServerError/storage(reason:)``.
    public func revokeToken(_ id: String) throws(KeyServerError) {
        try perform("token.revoke") { store, now throws(KeyServerError) in
            guard let token = try store.token(id: id) else { throw .noToken(id) }
            try store.revokeTokens(ofFamily: token.family, at: now)
            let device = try store.device(id: token.device)
            return ((), ["token": .text(id), "device": device.map { .text($0.name) }])
        }
    }

    /// Has all tokens of a device be refused from this moment on.
    ///
    /// - Throws: ``KeyServerError/noDevice(_:)``, ``KeyServerError/storage(reason:)``.
    public func revokeTokens(ofDevice name: String) throws(KeyServerError) {
        try perform("token.revoke") { store, now throws(KeyServerError) in
            let device = try store.existingDevice(name)
            try store.revokeTokens(ofDevice: device.id, at: now)
            return ((), ["device": .text(name)])
        }
    }

    /// Has tokens be signed with a new key from this moment on, by every server of the store.
    ///
    /// - Parameters:
    ///   - vault: Seals the new key.
    ///   - revokesOld: Whether the tokens there are, and the keys that signed them, are refused from
    ///     this moment on; else they are good until they end.
    /// - Returns: The new key's id, and how many tokens were revoked.
    /// - Throws: ``KeyServerError/storage(reason:)``.
    public func rotateTokenKey(
        _ vault: KeyVault,
        revokesOld: Bool
    ) throws(KeyServerError) -> (id: String, revoked: Int) {
        try perform("token.rotate-key") { store, now throws(KeyServerError) in
            let last = try store.newestTokenKey()
            // The latest one signs, also where the clock was set back since the last was made.
            let after = last.map { $0.createdAt.milliseconds + 1 } ?? 0
            let key = TokenSigner.makeKey(
                vault,
                at: Timestamp(milliseconds: max(now.milliseconds, after))
            )
            try store.insert(key)
            var revoked = 0
            if revokesOld {
                try store.removeTokenKeys(but: key.id)
                revoked = try store.revokeTokens(at: now)
            }
            return (
                (key.id, revoked),
                [
                    "signing_key": .text(key.id), "was": last.map { .text($0.id) },
                    "revoked_tokens": revokesOld ? .number(revoked) : nil,
                ]
            )
        }
    }

    /// Tokens, the latest first.
    ///
    /// - Parameter name: Of a device; `nil` for every one.
    /// - Returns: Those there are.
    /// - Throws: ``KeyServerError/noDevice(_:)``, ``KeyServerError/storage(reason:)``.
    public func listTokens(
        ofDevice name: String? = nil
    ) throws(KeyServerError) -> [TokenListing] {
        try storage.transaction(.reading) { store throws(KeyServerError) in
            let device: DeviceRecord? =
                if let name { try store.existingDevice(name) } else { nil }
            var list: [TokenListing] = []
            for token in try store.tokens(ofDevice: device?.id) {
                let owner = if let device { device } else { try store.device(id: token.device) }
                list.append(TokenListing(token: token, device: owner?.name ?? ""))
            }
            return list
        }
    }
}

extension TokenRecord {
    /// A token that is made now, in whole seconds, as it says them itself.
    ///
    /// - Parameters:
    ///   - device: Whose.
    ///   - keys: What it is good for.
    ///   - lifetime: In seconds.
    ///   - now: The moment.
    ///   - family: Of the token it renews.
    init(
        device: Int,
        keys: [String]?,
        lifetime: Int,
        at now: Timestamp,
        family: String? = nil
    ) {
        let id = Hexadecimal.encode(RandomBytes.make(count: 12))
        self.init(
            id: id,
            family: family ?? id,
            device: device,
            keys: keys,
            issuedAt: Timestamp(seconds: now.seconds),
            expiresAt: Timestamp(seconds: now.seconds + lifetime),
            revokedAt: nil,
            successor: nil
        )
    }

    /// What the token says.
    func claims(device: String) -> TokenClaims {
        TokenClaims(
            id: id,
            device: device,
            keys: keys,
            issuedAt: issuedAt.seconds,
            expiresAt: expiresAt.seconds
        )
    }
}
