internal import Cryptography

extension RcloneVolumeConfiguration {
    /// Random bytes in a new volume's password: 1024 bits.
    static let newPasswordCount = 128

    /// A configuration for a new volume, as the original program made it on its first start.
    ///
    /// Remote `storage` is local, remote `encrypted_storage` encrypts the directory `storage`. What
    /// is not rclone's default is written out.
    ///
    /// - Parameters:
    ///   - nameEncryption: `filename_encryption`.
    ///   - nameEncoding: `filename_encoding`.
    ///   - directoryNames: `directory_name_encryption`.
    ///   - suffix: What files end in where names are not encrypted; may be empty.
    ///   - password2: Whether to draw a second password too, instead of rclone's public salt.
    /// - Returns: The volume; its ``configuration`` is to be encrypted and stored.
    /// - Throws: ``VolumeFormatError/configuration(_:)`` with
    ///   ``ConfigurationFault/notRepresentable(option:)`` for a suffix that cannot be one;
    ///   ``VolumeFormatError/cryptography(_:)``.
    public static func new(
        nameEncryption: NameEncryption = .standard,
        nameEncoding: NameEncoding = .base32,
        directoryNames: Bool = true,
        suffix: String = ".bin",
        password2: Bool = false
    ) throws(VolumeFormatError) -> RcloneVolumeConfiguration {
        guard isSuffix(suffix) else {
            throw .configuration(.notRepresentable(option: "suffix"))
        }
        var parts = [
            plain("[storage]\ntype = local\n\n[\(originalName)]\ntype = crypt\nremote = storage\n"),
            plain("password = "), try newPassword(), plain("\n"),
        ]
        if password2 { parts += [plain("password2 = "), try newPassword(), plain("\n")] }
        if nameEncryption != .standard {
            parts.append(plain("filename_encryption = \(nameEncryption.rawValue)\n"))
        }
        if nameEncoding != .base32 {
            parts.append(plain("filename_encoding = \(nameEncoding.rawValue)\n"))
        }
        if !directoryNames { parts.append(plain("directory_name_encryption = false\n")) }
        if suffix != ".bin" {
            parts.append(plain("suffix = \(suffix.isEmpty ? "none" : suffix)\n"))
        }
        parts.append(plain("\n"))
        return try RcloneVolumeConfiguration(
            RcloneConfiguration(parsing: SecretBytes.concatenating(parts))
        )
    }

    private static func newPassword() throws(VolumeFormatError) -> SecretBytes {
        let password = SecretBytes.random(count: newPasswordCount).withUnsafeBytes {
            Base64.encodeSecret($0, as: .url)
        }
        return try ObscuredPassword.obscure(password)
    }

    private static func isSuffix(_ suffix: String) -> Bool {
        suffix.isEmpty
            || suffix.hasPrefix(".")
                && suffix.utf8.allSatisfy { (0x21...0x7e).contains($0) && $0 != 0x2f && $0 != 0x60 }
                && !suffix.contains("%(")
    }

    private static func plain(_ text: String) -> SecretBytes {
        SecretBytes(copying: text.utf8)
    }
}
