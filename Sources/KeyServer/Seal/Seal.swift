internal import Cryptography

/// The store's master key as the database holds it: sealed under the root key.
///
///     nonce (24) ‖ XChaCha20-Poly1305(master key, 32) ‖ tag (16)
///
/// Associated data `secure-store/master/v1`. Another root key means another seal around the same
/// master key; nothing else in the store changes.
public struct Seal: Equatable, Sendable {
    /// 32 random bytes, public.
    public let salt: [UInt8]

    /// 72 bytes.
    public let sealed: [UInt8]

    private static let purpose = Array("secure-store/master/v1".utf8)

    /// Takes a seal as it was stored.
    init(salt: [UInt8], sealed: [UInt8]) {
        self.salt = salt
        self.sealed = sealed
    }

    /// Seals a master key.
    ///
    /// - Throws: ``KeyServerError/sealing(reason:)``.
    init(_ master: SecretBytes, under root: RootKey) throws(KeyServerError) {
        salt = RandomBytes.make(count: 32)
        sealed =
            XChaCha20Poly1305.sealMessage(
                master,
                key: try root.sealingKey(salt: salt),
                associatedData: Self.purpose
            ).publicBytes
    }

    /// Opens the seal.
    ///
    /// - Returns: The master key.
    /// - Throws: ``KeyServerError/wrongRootKey``, ``KeyServerError/sealing(reason:)``.
    func open(with root: RootKey) throws(KeyServerError) -> SecretBytes {
        let key = try root.sealingKey(salt: salt)
        do {
            return try sealed.withUnsafeBytes {
                try XChaCha20Poly1305.openMessage($0, key: key, associatedData: Self.purpose)
            }
        } catch {
            throw .wrongRootKey
        }
    }
}

extension SecretBytes {
    /// Ciphertext, which is a secret no longer.
    var publicBytes: [UInt8] { withUnsafeBytes { Array($0) } }
}
