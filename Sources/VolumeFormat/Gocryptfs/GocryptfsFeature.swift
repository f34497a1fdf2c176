/// A feature flag of `gocryptfs.conf`, by its name there.
public enum GocryptfsFeature: String, CaseIterable, Sendable {
    /// Keys are derived from the master key, one a purpose.
    case hkdf = "HKDF"

    /// Nonces of AES are 128 bits long.
    case gcmIV128 = "GCMIV128"

    /// Content is sealed with XChaCha20-Poly1305.
    case xchacha20Poly1305 = "XChaCha20Poly1305"

    /// Names are stored as they are.
    case plaintextNames = "PlaintextNames"

    /// Every directory has random bytes that its names are bound to.
    case dirIV = "DirIV"

    /// ``GocryptfsConfiguration/longNameMax`` is set.
    case longNameMax = "LongNameMax"

    /// Names are enciphered with EME.
    case emeNames = "EMENames"

    /// Names that do not fit an entry are kept in files of their own.
    case longNames = "LongNames"

    /// Base64 is not padded.
    case raw64 = "Raw64"

    /// Content is sealed with AES-SIV.
    case aesSIV = "AESSIV"

    /// The password comes from a security key.
    case fido2 = "FIDO2"
}
