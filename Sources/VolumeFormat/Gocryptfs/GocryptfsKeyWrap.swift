internal import Cryptography

/// Wraps the master key under a password, as a block of content that belongs to no file.
struct GocryptfsKeyWrap {
    private let scrypt: GocryptfsScrypt
    private let usesHKDF: Bool

    /// Length of a wrapped key in bytes.
    static func count(usesHKDF: Bool) -> Int {
        nonceCount(usesHKDF) + GocryptfsMasterKey.count + AESGCM.tagCount
    }

    /// Volumes without HKDF wrap with nonces of 96 bits.
    private static func nonceCount(_ usesHKDF: Bool) -> Int { usesHKDF ? 16 : 12 }

    init(_ scrypt: GocryptfsScrypt, usesHKDF: Bool) {
        self.scrypt = scrypt
        self.usesHKDF = usesHKDF
    }

    /// Wraps a key.
    ///
    /// - Returns: nonce ‖ ciphertext (32) ‖ tag (16).
    func wrap(
        _ masterKey: GocryptfsMasterKey,
        password: SecretBytes
    ) throws(VolumeFormatError) -> [UInt8] {
        let cipher = try cipher(password)
        let nonce = RandomBytes.make(count: Self.nonceCount(usesHKDF))
        let sealed = try filling(GocryptfsMasterKey.count + AESGCM.tagCount) {
            sealed throws(VolumeFormatError) in
            try primitive { () throws(CryptographyError) in
                try masterKey.bytes.withUnsafeBytes { key throws(CryptographyError) in
                    try lending(nonce) { nonce throws(CryptographyError) in
                        try lending(Self.context) { context throws(CryptographyError) in
                            try cipher.seal(
                                key,
                                nonce: nonce,
                                associatedData: context,
                                into: sealed
                            )
                        }
                    }
                }
            }
            return sealed.count
        }
        return nonce + sealed
    }

    /// Unwraps a key.
    ///
    /// - Parameters:
    ///   - wrapped: As long as ``count(usesHKDF:)`` says.
    ///   - password: The volume's key as text.
    /// - Returns: The key.
    /// - Throws: ``VolumeFormatError/wrongPassword``, ``VolumeFormatError/cryptography(_:)``.
    func unwrap(
        _ wrapped: [UInt8],
        password: SecretBytes
    ) throws(VolumeFormatError) -> GocryptfsMasterKey {
        precondition(wrapped.count == Self.count(usesHKDF: usesHKDF))
        let cipher = try cipher(password)
        let nonce = Array(wrapped.prefix(Self.nonceCount(usesHKDF)))
        let sealed = Array(wrapped.dropFirst(nonce.count))
        do throws(CryptographyError) {
            let bytes = try SecretBytes(count: GocryptfsMasterKey.count) {
                key throws(CryptographyError) in
                try lending(sealed) { sealed throws(CryptographyError) in
                    try lending(nonce) { nonce throws(CryptographyError) in
                        try lending(Self.context) { context throws(CryptographyError) in
                            try cipher.open(
                                sealed,
                                nonce: nonce,
                                associatedData: context,
                                into: key
                            )
                        }
                    }
                }
            }
            guard let masterKey = GocryptfsMasterKey(bytes) else { throw .authenticationFailed }
            return masterKey
        } catch .authenticationFailed {
            throw .wrongPassword
        } catch {
            throw .cryptography(error)
        }
    }

    /// Block 0 of no file.
    private static let context = [UInt8](repeating: 0, count: 8)

    private func cipher(_ password: SecretBytes) throws(VolumeFormatError) -> AESGCM {
        try primitive { () throws(CryptographyError) in
            var key = try Scrypt.deriveKey(
                from: password,
                salt: scrypt.salt,
                cost: scrypt.cost,
                count: AESGCM.keyCount
            )
            if usesHKDF {
                key = try HKDF.deriveKey(
                    from: key,
                    info: Array("AES-GCM file content encryption".utf8),
                    count: AESGCM.keyCount
                )
            }
            return try AESGCM(key: key, nonceCount: Self.nonceCount(usesHKDF))
        }
    }
}
