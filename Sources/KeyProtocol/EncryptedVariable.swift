public import Cryptography

/// The value of an `ENCRYPTED_NAME` variable.
///
/// Original form: lower-case hexadecimal of nonce (12) ‖ ciphertext ‖ tag (16), AES-256-GCM under
/// SHA-256 of the password. New form: `v2.<key id>.<base64url>` of nonce (24) ‖ ciphertext ‖
/// tag (16), XChaCha20-Poly1305, bound to the variable's name.
///
/// Format: `docs/formats.md`, "Variables".
public enum EncryptedVariable {
    /// Which form to write.
    public enum Form: Sendable {
        /// The new form where the key allows it, else the original one.
        case automatic

        /// What the original program reads.
        case original

        /// The new form, or an error.
        case v2
    }

    private static let prefix = "v2."
    private static let purpose = Array("secure-store/env/v2".utf8)

    /// Decrypts a value of either form.
    ///
    /// - Parameters:
    ///   - value: The variable's value.
    ///   - name: The name without `ENCRYPTED_`.
    ///   - keys: What the key source delivered; an original-form value takes the key `default`,
    ///     of whichever generation.
    ///   - mayHoldNUL: Whether the plaintext goes where NUL may be, as into a file.
    /// - Returns: The plaintext: any bytes, NUL only where that was said.
    /// - Throws: ``VariableError``.
    public static func decrypt(
        _ value: UnsafeRawBufferPointer,
        name: String,
        keys: KeyBundle,
        mayHoldNUL: Bool = false
    ) throws(VariableError) -> SecretBytes {
        guard isValid(name) else { throw .invalidName }
        guard !value.isEmpty else { throw .empty }
        let plaintext =
            value.starts(with: prefix.utf8)
            ? try decryptNewForm(value, name: name, keys: keys)
            : try decryptOriginalForm(value, keys: keys)
        guard mayHoldNUL || !plaintext.withUnsafeBytes({ $0.contains(0) }) else { throw .holdsNUL }
        return plaintext
    }

    /// Encrypts a value.
    ///
    /// - Parameters:
    ///   - plaintext: Any bytes; NUL only where that is said.
    ///   - name: The name without `ENCRYPTED_`; the new form is bound to it.
    ///   - key: A generated key for the new form, any key for the original one.
    ///   - form: Which form to write.
    ///   - mayHoldNUL: Whether NUL is allowed, which only a file can carry to the command.
    /// - Returns: The value, ASCII without white space.
    /// - Throws: ``VariableError``.
    public static func encrypt(
        _ plaintext: SecretBytes,
        name: String,
        key: StoreKey,
        form: Form = .automatic,
        mayHoldNUL: Bool = false
    ) throws(VariableError) -> String {
        guard isValid(name) else { throw .invalidName }
        guard mayHoldNUL || !plaintext.withUnsafeBytes({ $0.contains(0) }) else { throw .holdsNUL }
        switch (form, key.generated) {
        case (.original, _), (.automatic, nil):
            return try encryptOriginalForm(plaintext, key: key)
        case (.v2, nil):
            throw .passwordForNewForm
        case (.v2, let generated?), (.automatic, let generated?):
            return try encryptNewForm(plaintext, name: name, key: generated)
        }
    }

    // MARK: Original form

    private static func decryptOriginalForm(
        _ value: UnsafeRawBufferPointer,
        keys: KeyBundle
    ) throws(VariableError) -> SecretBytes {
        guard let message = try? Hexadecimal.decode(value) else { throw .notHexadecimal }
        guard message.count >= AESGCM.messageOverhead else {
            throw .tooShort(found: message.count)
        }
        guard let newest = keys[KeyBundle.defaultName] else {
            throw .noKey(name: KeyBundle.defaultName)
        }
        do throws(VariableError) {
            return try openOriginalForm(message, newest)
        } catch {
            // It does not say which key it was encrypted under.
            for older in keys.olderGenerations(of: KeyBundle.defaultName) {
                if let plaintext = try? openOriginalForm(message, older) { return plaintext }
            }
            throw error
        }
    }

    private static func openOriginalForm(
        _ message: [UInt8],
        _ key: StoreKey
    ) throws(VariableError) -> SecretBytes {
        try message.withUnsafeBufferPointer { message throws(VariableError) in
            try translatingErrors { () throws(CryptographyError) in
                try AESGCM.openMessage(
                    UnsafeRawBufferPointer(message),
                    key: SHA256.digest(of: key.text)
                )
            }
        }
    }

    private static func encryptOriginalForm(
        _ plaintext: SecretBytes,
        key: StoreKey
    ) throws(VariableError) -> String {
        let message = try translatingErrors { () throws(CryptographyError) in
            try AESGCM.sealMessage(plaintext, key: SHA256.digest(of: key.text))
        }
        return message.withUnsafeBytes { Hexadecimal.encode($0) }
    }

    // MARK: New form

    /// The id of the generated key that a value of the new form says it was encrypted under; nil
    /// for what is no such value.
    public static func keyID(of value: UnsafeRawBufferPointer) -> String? {
        let count = 8
        guard value.starts(with: prefix.utf8), value.count > prefix.utf8.count + count,
            value[prefix.utf8.count + count] == UInt8(ascii: ".")
        else { return nil }
        let digits = value[prefix.utf8.count..<prefix.utf8.count + count]
        guard digits.allSatisfy(isLowerCaseHexadecimal) else { return nil }
        return String(decoding: digits, as: UTF8.self)
    }

    private static func decryptNewForm(
        _ value: UnsafeRawBufferPointer,
        name: String,
        keys: KeyBundle
    ) throws(VariableError) -> SecretBytes {
        let parts = value.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 3, parts[1].count == 8,
            parts[1].allSatisfy(isLowerCaseHexadecimal),
            let message = try? Base64.decode(UnsafeRawBufferPointer(rebasing: parts[2]), as: .url)
        else { throw .malformed }
        guard message.count >= XChaCha20Poly1305.messageOverhead else {
            throw .tooShort(found: message.count)
        }
        let id = String(decoding: parts[1], as: UTF8.self)
        guard let key = keys.generatedKey(id: id) else {
            throw .unknownKey(wanted: id, arrived: keys.generatedKeyIDs)
        }
        return try message.withUnsafeBufferPointer { message throws(VariableError) in
            try translatingErrors { () throws(CryptographyError) in
                try XChaCha20Poly1305.openMessage(
                    UnsafeRawBufferPointer(message),
                    key: cipherKey(for: key),
                    associatedData: associatedData(keyID: id, name: name)
                )
            }
        }
    }

    private static func encryptNewForm(
        _ plaintext: SecretBytes,
        name: String,
        key: GeneratedKey
    ) throws(VariableError) -> String {
        let message = try translatingErrors { () throws(CryptographyError) in
            XChaCha20Poly1305.sealMessage(
                plaintext,
                key: try cipherKey(for: key),
                associatedData: associatedData(keyID: key.id, name: name)
            )
        }
        let encoded = message.withUnsafeBytes { Base64.encode($0, as: .url) }
        return "\(prefix)\(key.id).\(encoded)"
    }

    private static func cipherKey(
        for key: GeneratedKey
    ) throws(CryptographyError) -> SecretBytes {
        try HKDF.deriveKey(from: key.bytes, info: purpose, count: XChaCha20Poly1305.keyCount)
    }

    private static func associatedData(keyID: String, name: String) -> [UInt8] {
        purpose + [0] + Array(keyID.utf8) + [0] + Array(name.utf8)
    }

    // MARK: Both

    private static func isValid(_ name: String) -> Bool {
        !name.isEmpty && !name.utf8.contains { $0 == 0 || $0 == UInt8(ascii: "=") }
    }

    private static func isLowerCaseHexadecimal(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
            || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
    }

    private static func translatingErrors<Result>(
        _ body: () throws(CryptographyError) -> Result
    ) throws(VariableError) -> Result {
        do throws(CryptographyError) {
            return try body()
        } catch .authenticationFailed {
            throw .authenticationFailed
        } catch {
            throw .library("\(error)")
        }
    }
}
