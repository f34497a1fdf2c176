internal import Cryptography

/// The key of an encrypted configuration.
///
/// SHA-256 of `[` ‖ password ‖ `][rclone-config]`. rclone first brings the password into Unicode's
/// form NFKC; here it must be in that form already.
enum ConfigurationKey {
    /// Derives the key.
    ///
    /// - Throws: ``VolumeFormatError/password(_:)``.
    static func derive(from password: SecretBytes) throws(VolumeFormatError) -> SecretBytes {
        do throws(PasswordFault) {
            try password.withUnsafeBytes { password throws(PasswordFault) in try check(password) }
        } catch {
            throw .password(error)
        }
        let text = SecretBytes.concatenating([
            SecretBytes(copying: "[".utf8), password,
            SecretBytes(copying: "][rclone-config]".utf8),
        ])
        return SHA256.digest(of: text)
    }

    private static func check(_ password: UnsafeRawBufferPointer) throws(PasswordFault) {
        // Decoded scalar by scalar: a String of the password would not be wiped.
        var decoder = UTF8()
        var bytes = password.makeIterator()
        var position = 0
        var isBlank = true
        var previousClass: UInt8 = 0
        decoding: while true {
            switch decoder.decode(&bytes) {
            case .scalarValue(let scalar):
                position += 1
                if !scalar.properties.isWhitespace { isBlank = false }
                let combiningClass = scalar.properties.canonicalCombiningClass.rawValue
                guard combiningClass == 0 || combiningClass >= previousClass,
                    !NFKCQuickCheck.mayChange(scalar)
                else { throw .notNormalized(position: position) }
                previousClass = combiningClass
            case .emptyInput:
                break decoding
            case .error:
                throw .notText
            }
        }
        guard !isBlank else { throw .empty }
    }
}
