internal import Cryptography

/// rclone's "obscured" passwords: AES-256-CTR under a key that everybody has.
///
/// base64url of counter block (16) ‖ ciphertext. Keeps a password from being read over a shoulder,
/// and from nothing else; what protects it is the encryption of the configuration.
///
/// Format: `docs/formats.md` §5.
enum ObscuredPassword {
    /// rclone's published key.
    private static let key = SecretBytes(copying: [
        0x9c, 0x93, 0x5b, 0x48, 0x73, 0x0a, 0x55, 0x4d, 0x6b, 0xfd, 0x7c, 0x63, 0xc8, 0x86, 0xa9,
        0x2b, 0xd3, 0x90, 0x19, 0x8e, 0xb8, 0x12, 0x8a, 0xfb, 0xf4, 0xde, 0x16, 0x2b, 0x8b, 0x95,
        0xf6, 0x38,
    ])

    /// Text for a configuration.
    static func obscure(_ password: SecretBytes) throws(VolumeFormatError) -> SecretBytes {
        let counter = RandomBytes.make(count: AESCTR.counterCount)
        let whole = try primitive { () throws(CryptographyError) in
            try SecretBytes(count: counter.count + password.count) {
                whole throws(CryptographyError) in
                whole.copyBytes(from: counter)
                let body = UnsafeMutableRawBufferPointer(rebasing: whole[counter.count...])
                try password.withUnsafeBytes { password throws(CryptographyError) in
                    try apply(to: password, counter: UnsafeRawBufferPointer(whole), into: body)
                }
            }
        }
        return whole.withUnsafeBytes { Base64.encodeSecret($0, as: .url) }
    }

    /// The password; nil when the text is not in this form.
    static func reveal(_ text: SecretBytes) -> SecretBytes? {
        do throws(CryptographyError) {
            let whole = try text.withUnsafeBytes { text throws(CryptographyError) in
                try Base64.decodeSecret(text, as: .url)
            }
            guard whole.count >= AESCTR.counterCount else { return nil }
            return try SecretBytes(count: whole.count - AESCTR.counterCount) {
                password throws(CryptographyError) in
                try whole.withUnsafeBytes { whole throws(CryptographyError) in
                    let body = UnsafeRawBufferPointer(rebasing: whole[AESCTR.counterCount...])
                    try apply(to: body, counter: whole, into: password)
                }
            }
        } catch {
            return nil
        }
    }

    private static func apply(
        to input: UnsafeRawBufferPointer,
        counter: UnsafeRawBufferPointer,
        into output: UnsafeMutableRawBufferPointer
    ) throws(CryptographyError) {
        guard !input.isEmpty else { return }
        try AESCTR.apply(
            to: input,
            key: key,
            counter: UnsafeRawBufferPointer(rebasing: counter[..<AESCTR.counterCount]),
            into: output
        )
    }
}
