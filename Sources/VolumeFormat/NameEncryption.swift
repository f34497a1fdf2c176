/// What happens to names: rclone's `filename_encryption`.
public enum NameEncryption: String, CaseIterable, Sendable {
    /// Padded, enciphered with EME under AES-256, encoded as text.
    case standard

    /// Letters and digits shifted about: hides names from a glance, not from anyone who looks.
    case obfuscate

    /// Left as they are; files get a suffix.
    case off
}
