internal import Cryptography
public import KeyProtocol
internal import Synchronization

/// Seals and opens the keys that the store holds.
///
///     nonce (24) ‖ XChaCha20-Poly1305(text of the key) ‖ tag (16)
///
/// under HKDF-SHA256(master key, info `secure-store/keys/v1`), with associated data
/// `secure-store/key/v1` ‖ 0x00 ‖ name ‖ 0x00 ‖ number of the generation: who can write to the
/// database can neither put in a key of their own nor serve one key under another's name. The key that
/// signs the audit log's checkpoints is sealed in the same way, under info `secure-store/audit-key/v1`
/// and with associated data `secure-store/audit-key/v1` ‖ 0x00 ‖ its public half, PEM.
public final class KeyVault: Sendable {
    /// What the keys are sealed under.
    let key: SecretBytes
    private let auditKey: SecretBytes

    /// Keys that were opened, by what they were sealed as: every piece of secret memory costs
    /// system calls, and a fleet asks for the same few.
    private let opened = Mutex<[[UInt8]: StoreKey]>([:])

    private static let rememberedCount = 256

    /// Opens the vault.
    ///
    /// - Parameter master: The store's master key.
    /// - Throws: ``KeyServerError/sealing(reason:)``.
    init(master: SecretBytes) throws(KeyServerError) {
        do throws(CryptographyError) {
            key = try Self.derive(from: master, "secure-store/keys/v1")
            auditKey = try Self.derive(from: master, Self.auditPurpose)
        } catch {
            throw .sealing(reason: "\(error)")
        }
    }

    /// Seals a key.
    ///
    /// - Parameters:
    ///   - key: The key.
    ///   - name: Its name.
    ///   - number: Which generation it is.
    /// - Returns: What the database may hold.
    func seal(_ key: StoreKey, name: String, number: Int) -> [UInt8] {
        XChaCha20Poly1305.sealMessage(
            key.text,
            key: self.key,
            associatedData: Self.place(name, number)
        ).publicBytes
    }

    /// Opens a key.
    ///
    /// - Parameter generation: As it was stored.
    /// - Returns: The key.
    /// - Throws: ``KeyServerError/sealing(reason:)`` where it is not what was sealed there.
    public func open(_ generation: GenerationRecord) throws(KeyServerError) -> StoreKey {
        if let known = opened.withLock({ $0[generation.sealed] }) { return known }
        do {
            let place = Self.place(generation.key, generation.number)
            let text = try generation.sealed.withUnsafeBytes {
                try XChaCha20Poly1305.openMessage($0, key: self.key, associatedData: place)
            }
            let key = try StoreKey(text)
            opened.withLock { opened in
                if opened.count >= Self.rememberedCount { opened.removeAll() }
                opened[generation.sealed] = key
            }
            return key
        } catch {
            throw .sealing(
                reason: "generation \(generation.number) of the key '\(generation.key)' is not "
                    + "what was sealed there: has the database been changed?"
            )
        }
    }

    /// Seals the key that signs checkpoints.
    func seal(_ signer: AuditSigner) -> AuditKeyRecord {
        let publicKey = signer.publicKey.pem
        let sealed = XChaCha20Poly1305.sealMessage(
            signer.secret,
            key: auditKey,
            associatedData: Self.place(ofAuditKey: publicKey)
        )
        return AuditKeyRecord(publicKey: publicKey, sealed: sealed.publicBytes)
    }

    /// Opens the key that signs checkpoints.
    ///
    /// - Throws: ``KeyServerError/sealing(reason:)`` where it is not what was sealed.
    func open(_ record: AuditKeyRecord) throws(KeyServerError) -> AuditSigner {
        let secret: SecretBytes
        do {
            secret = try record.sealed.withUnsafeBytes { sealed in
                try XChaCha20Poly1305.openMessage(
                    sealed,
                    key: auditKey,
                    associatedData: Self.place(ofAuditKey: record.publicKey)
                )
            }
        } catch {
            throw .sealing(
                reason: "the audit log's key is not what was sealed: has the database been changed?"
            )
        }
        return try AuditSigner(secret)
    }

    private static let auditPurpose = "secure-store/audit-key/v1"

    private static func place(ofAuditKey publicKey: String) -> [UInt8] {
        Array("\(auditPurpose)\u{0}\(publicKey)".utf8)
    }

    private static func derive(
        from master: SecretBytes,
        _ purpose: String
    ) throws(CryptographyError) -> SecretBytes {
        try HKDF.deriveKey(
            from: master,
            info: Array(purpose.utf8),
            count: XChaCha20Poly1305.keyCount
        )
    }

    private static func place(_ name: String, _ number: Int) -> [UInt8] {
        Array("secure-store/key/v1\u{0}\(name)\u{0}\(number)".utf8)
    }
}
