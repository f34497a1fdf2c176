internal import Cryptography
internal import KeyProtocol

/// Tells a variable that was meant to be encrypted, but is not named so, from all others.
enum VariableMistake {
    /// The value is in the new form, which nothing else is.
    case newForm
    /// The value is in the original form, and decrypts.
    case originalForm
    /// The name begins with what is nearly `ENCRYPTED_`.
    case name

    private static let word = Array("ENCRYPTED".utf8)

    /// What is one or two letters away from `ENCRYPTED` and means something: its value decides.
    private static let otherWords: Set<String> = [
        "ENCRYPT", "ENCRYPTS", "ENCRYPTER", "ENCRYPTOR", "DECRYPTED", "REENCRYPTED", "UNENCRYPTED",
        "ENCRUSTED",
    ]

    /// Looks at a value only; cheap enough for every start.
    ///
    /// `v2.<8 hexadecimal digits>.<base64url of at least nonce and tag>`.
    static func isNewForm(_ value: UnsafeRawBufferPointer) -> Bool {
        guard value.starts(with: "v2.".utf8) else { return false }
        let parts = value.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 3, parts[1].count == 8, parts[1].allSatisfy(isHexadecimal),
            let message = try? Base64.decode(UnsafeRawBufferPointer(rebasing: parts[2]), as: .url)
        else { return false }
        return message.count >= XChaCha20Poly1305.messageOverhead
    }

    /// Looks at name and value of a variable that is to stay as it is.
    ///
    /// - Returns: Nil where it may.
    init?(name: String, value: UnsafeRawBufferPointer, keys: KeyBundle) {
        if Self.isNewForm(value) {
            self = .newForm
            return
        }
        let isOriginalForm = Self.looksOriginal(value)
        if isOriginalForm,
            (try? EncryptedVariable.decrypt(value, name: "X", keys: keys, mayHoldNUL: true)) != nil
        {
            self = .originalForm
            return
        }
        guard let prefix = Self.prefix(of: name) else { return nil }
        let isEncrypted = isOriginalForm || value.starts(with: "v2.".utf8)
        guard isEncrypted || Self.isMisspelt(prefix) else { return nil }
        self = .name
    }

    /// Nonce, tag and what may be nothing between them, in pairs of lower-case digits.
    private static func looksOriginal(_ value: UnsafeRawBufferPointer) -> Bool {
        value.count >= 2 * AESGCM.messageOverhead && value.count % 2 == 0
            && value.allSatisfy(isHexadecimal)
    }

    /// What stands where `ENCRYPTED` should, in capitals; nil where that is something else.
    private static func prefix(of name: String) -> String? {
        let capitals = name.utf8.map { (0x61...0x7a).contains($0) ? $0 - 32 : $0 }
        // `ENCRYPTEDX`, `ENCRYPTED.X`: right but for what follows.
        if capitals.starts(with: word) { return capitals.count > word.count ? "ENCRYPTED" : nil }
        let separators = Array("_-.".utf8)
        guard let end = capitals.firstIndex(where: separators.contains), end + 1 < capitals.count,
            abs(end - word.count) <= 2, Spelling.distance(Array(capitals[..<end]), word) <= 2
        else { return nil }
        return String(decoding: capitals[..<end], as: UTF8.self)
    }

    /// Whether nobody can have meant it: no other word, and not the right one in small letters or
    /// without its `_`, for `encrypted_backup=1` may be somebody's setting.
    private static func isMisspelt(_ prefix: String) -> Bool {
        prefix != "ENCRYPTED" && !otherWords.contains(prefix)
    }

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte)
    }
}
