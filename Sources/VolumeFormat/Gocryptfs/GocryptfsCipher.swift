internal import Cryptography

/// What seals the content of a gocryptfs volume.
public enum GocryptfsCipher: String, CaseIterable, Sendable {
    /// AES-256-GCM with nonces of 128 bits: where the processor has instructions for AES.
    case aesGCM = "aes-gcm"

    /// XChaCha20-Poly1305: fast on every processor.
    case xchacha20Poly1305 = "xchacha20-poly1305"

    /// AES-SIV with a key of 512 bits: what `gocryptfs -aessiv` and `-reverse` make.
    case aesSIV = "aes-siv"

    /// Length of the nonce before every block, in bytes.
    public var nonceCount: Int {
        switch self {
        case .aesGCM, .aesSIV: 16
        case .xchacha20Poly1305: XChaCha20Poly1305.nonceCount
        }
    }

    /// Length of the tag of every block, in bytes.
    public static let tagCount = 16

    /// What a stored block is longer than its content, in bytes.
    public var overhead: Int { nonceCount + Self.tagCount }
}
