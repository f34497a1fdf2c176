internal import Cryptography

/// The two keys of a gocryptfs volume, derived from its master key.
///
/// HKDF-SHA256 without salt, one purpose each. Volumes of gocryptfs 1.2 and older have no HKDF:
/// there both are the master key itself, or for AES-SIV its SHA-512.
///
/// Format: `docs/formats.md` §9.
public final class GocryptfsKeys: Sendable {
    /// What seals the content.
    public let cipher: GocryptfsCipher

    /// Key of every block, 32 bytes, of AES-SIV 64.
    let contentKey: SecretBytes

    /// Key of the name cipher, 32 bytes.
    let nameKey: SecretBytes

    /// Derives the keys.
    ///
    /// - Parameters:
    ///   - masterKey: As unwrapped.
    ///   - cipher: What seals the content.
    ///   - usesHKDF: Feature flag `HKDF`.
    /// - Throws: ``VolumeFormatError/cryptography(_:)``.
    public init(
        _ masterKey: GocryptfsMasterKey,
        cipher: GocryptfsCipher,
        usesHKDF: Bool = true
    ) throws(VolumeFormatError) {
        self.cipher = cipher
        let master = masterKey.bytes
        let count = cipher == .aesSIV ? AESSIV.keyCount : 32
        if usesHKDF {
            contentKey = try Self.derive(master, "\(cipher.purpose) file content encryption", count)
            nameKey = try Self.derive(master, "EME filename encryption", EME.keyCount)
        } else {
            contentKey = cipher == .aesSIV ? SHA512.digest(of: master) : master
            nameKey = master
        }
    }

    private static func derive(
        _ master: SecretBytes,
        _ purpose: String,
        _ count: Int
    ) throws(VolumeFormatError) -> SecretBytes {
        try primitive { () throws(CryptographyError) in
            try HKDF.deriveKey(from: master, info: Array(purpose.utf8), count: count)
        }
    }
}

extension GocryptfsCipher {
    /// Its name where keys are derived.
    var purpose: String {
        switch self {
        case .aesGCM: "AES-GCM"
        case .xchacha20Poly1305: "XChaCha20-Poly1305"
        case .aesSIV: "AES-SIV"
        }
    }
}
