public import Cryptography
internal import KeyProtocol

/// The secret that opens the store, which is never on the store's disk: a generated key, or a
/// passphrase.
public struct RootKey: Sendable {
    private let key: StoreKey

    /// Takes a root key as it was typed or read.
    ///
    /// - Parameter text: 1...4096 bytes without NUL, CR or LF.
    /// - Throws: ``KeyServerError/key(source:reason:)``.
    public init(_ text: SecretBytes) throws(KeyServerError) {
        do throws(KeyFormatError) {
            key = try StoreKey(text)
        } catch {
            throw .key(source: "the root key", reason: "\(error)")
        }
    }

    /// A root key of 32 random bytes.
    init(bytes: SecretBytes) {
        key = StoreKey(generatedOf: bytes)
    }

    /// What a passphrase costs to try: 128 MiB and about half a second.
    private static let cost = Scrypt.Cost(n: 131_072, r: 8, p: 1)

    /// The key that seals the master key.
    ///
    /// - Parameter salt: The store's own.
    /// - Returns: 32 bytes.
    /// - Throws: ``KeyServerError/sealing(reason:)``.
    func sealingKey(salt: [UInt8]) throws(KeyServerError) -> SecretBytes {
        do throws(CryptographyError) {
            // 32 random bytes cannot be guessed, and need not be slow to try.
            guard let generated = key.generated else {
                return try Scrypt.deriveKey(
                    from: key.text,
                    salt: salt,
                    cost: Self.cost,
                    count: XChaCha20Poly1305.keyCount
                )
            }
            return try HKDF.deriveKey(
                from: generated.bytes,
                salt: salt,
                info: Array("secure-store/root/v1".utf8),
                count: XChaCha20Poly1305.keyCount
            )
        } catch {
            throw .sealing(reason: "\(error)")
        }
    }
}
