public import Cryptography

/// The three keys of an rclone volume, derived from its two passwords.
///
/// scrypt (N = 16384, r = 8, p = 1) gives 80 bytes: data key (32) ‖ name key (32) ‖ name
/// tweak (16). Takes about 50 ms and 16 MiB.
///
/// Format: `docs/formats.md` §2.
public final class RcloneKeys: Sendable {
    /// Key of every content block, 32 bytes.
    let dataKey: SecretBytes

    /// Key of the name cipher, 32 bytes.
    let nameKey: SecretBytes

    /// Tweak of the name cipher, 16 bytes.
    let nameTweak: SecretBytes

    /// rclone's salt where the configuration has no `password2`; public.
    static let defaultSalt: [UInt8] = [
        0xa8, 0x0d, 0xf4, 0x3a, 0x8f, 0xbd, 0x03, 0x08, 0xa7, 0xca, 0xb8, 0x3e, 0x58, 0x1f, 0x86,
        0xb1,
    ]

    /// Derives the keys.
    ///
    /// - Parameters:
    ///   - password: As revealed from the configuration. Empty gives keys of zeros, as in rclone.
    ///   - salt: The second password; nil or empty means rclone's public salt.
    /// - Throws: ``VolumeFormatError/cryptography(_:)``.
    public init(password: SecretBytes, salt: SecretBytes?) throws(VolumeFormatError) {
        let material: SecretBytes
        if password.count == 0 {
            material = SecretBytes(count: 80) { _ in }
        } else {
            material = try primitive { () throws(CryptographyError) in
                guard let salt, salt.count > 0 else {
                    return try Scrypt.deriveKey(
                        from: password,
                        salt: Self.defaultSalt,
                        cost: .rclone,
                        count: 80
                    )
                }
                return try Scrypt.deriveKey(
                    from: password,
                    salt: salt,
                    cost: .rclone,
                    count: 80
                )
            }
        }
        dataKey = material.slice(0..<32)
        nameKey = material.slice(32..<64)
        nameTweak = material.slice(64..<80)
    }
}
