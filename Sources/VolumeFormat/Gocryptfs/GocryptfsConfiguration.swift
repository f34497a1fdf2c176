/// A `gocryptfs.conf`: the wrapped master key, and how the volume is stored.
///
/// Nothing in the file is a secret to whoever does not know the password, and nothing but the wrapped
/// key is authenticated: a volume whose flags were changed does not open its files.
///
/// Format: `docs/formats.md` §9.
public struct GocryptfsConfiguration: Equatable, Sendable {
    /// Longest file, in bytes.
    public static let maximumCount = 65_536

    /// The one version of the format there is.
    public static let version = 2

    /// Whether a volume's configuration is of this format: JSON begins with a brace, an encrypted
    /// rclone configuration with a comment or its mark.
    public static func recognizes(_ file: UnsafeRawBufferPointer) -> Bool {
        file.first { ![0x09, 0x0a, 0x0d, 0x20].contains($0) } == UInt8(ascii: "{")
    }

    /// What made the volume, for people.
    public let creator: String

    /// nonce ‖ ciphertext ‖ tag of the master key.
    public let encryptedKey: [UInt8]

    /// How the password becomes the key that wraps it.
    public let scrypt: GocryptfsScrypt

    /// In the order of the file.
    public let features: [GocryptfsFeature]

    /// The longest stored name, in bytes, 62...254; nil for gocryptfs's default.
    public let longNameMax: Int?

    /// What seals the content.
    public var cipher: GocryptfsCipher {
        if features.contains(.xchacha20Poly1305) { return .xchacha20Poly1305 }
        return features.contains(.aesSIV) ? .aesSIV : .aesGCM
    }

    /// How names are stored.
    public var nameScheme: GocryptfsNameScheme {
        if features.contains(.plaintextNames) { return .plaintext }
        let maximum = longNameMax ?? GocryptfsNames.maximumEntryCount
        return .encrypted(
            GocryptfsNameScheme.Encrypted(
                hasDirectoryIVs: features.contains(.dirIV),
                longNameMax: features.contains(.longNames) ? maximum : nil,
                isPadded: !features.contains(.raw64)
            )
        )
    }

    /// Whether keys are derived: false for volumes of gocryptfs 1.2 and older.
    public var usesHKDF: Bool { features.contains(.hkdf) }

    /// Derives the volume's keys.
    ///
    /// - Throws: ``VolumeFormatError/cryptography(_:)``.
    public func makeKeys(_ masterKey: GocryptfsMasterKey) throws(VolumeFormatError) -> GocryptfsKeys
    {
        try GocryptfsKeys(masterKey, cipher: cipher, usesHKDF: usesHKDF)
    }

    /// Sets the volume's name cipher up.
    ///
    /// - Throws: ``VolumeFormatError/cryptography(_:)``.
    public func makeNames(keys: GocryptfsKeys) throws(VolumeFormatError) -> GocryptfsNames {
        try GocryptfsNames(keys: keys, scheme: nameScheme)
    }
}
