public import Cryptography

extension GocryptfsConfiguration {
    /// A configuration for a new volume.
    ///
    /// - Parameters:
    ///   - masterKey: Drawn for it, or from paper.
    ///   - password: The volume's key as text.
    ///   - cipher: What is to seal the content.
    ///   - names: How names are to be stored.
    ///   - scrypt: With a salt of its own.
    ///   - creator: Shown to people: what makes the volume.
    /// - Returns: The configuration, as gocryptfs would write it.
    /// - Throws: ``VolumeFormatError/cryptography(_:)``.
    public static func new(
        masterKey: GocryptfsMasterKey,
        password: SecretBytes,
        cipher: GocryptfsCipher = .aesGCM,
        names: GocryptfsNameScheme = .encrypted(GocryptfsNameScheme.Encrypted()),
        scrypt: GocryptfsScrypt = GocryptfsScrypt(),
        creator: String
    ) throws(VolumeFormatError) -> GocryptfsConfiguration {
        var features: [GocryptfsFeature] = [.hkdf]
        features.append(cipher == .xchacha20Poly1305 ? .xchacha20Poly1305 : .gcmIV128)
        var longNameMax: Int?
        switch names {
        case .plaintext: features.append(.plaintextNames)
        case .encrypted(let names):
            if names.hasDirectoryIVs { features.append(.dirIV) }
            if let maximum = names.longNameMax, maximum < GocryptfsNames.maximumEntryCount {
                precondition(longNameMaxima.contains(maximum))
                longNameMax = maximum
                features.append(.longNameMax)
            }
            features.append(.emeNames)
            if names.longNameMax != nil { features.append(.longNames) }
            if !names.isPadded { features.append(.raw64) }
        }
        if cipher == .aesSIV { features.append(.aesSIV) }
        return GocryptfsConfiguration(
            creator: creator,
            encryptedKey: try GocryptfsKeyWrap(scrypt, usesHKDF: true)
                .wrap(masterKey, password: password),
            scrypt: scrypt,
            features: features,
            longNameMax: longNameMax
        )
    }

    /// The same volume under another password.
    ///
    /// - Parameters:
    ///   - masterKey: As ``unlock(password:)`` gave it.
    ///   - password: The new one.
    ///   - scrypt: With a salt of its own.
    /// - Returns: The configuration to be written in this one's place.
    /// - Throws: ``VolumeFormatError/cryptography(_:)``.
    public func rewrapped(
        _ masterKey: GocryptfsMasterKey,
        password: SecretBytes,
        scrypt: GocryptfsScrypt
    ) throws(VolumeFormatError) -> GocryptfsConfiguration {
        GocryptfsConfiguration(
            creator: creator,
            encryptedKey: try GocryptfsKeyWrap(scrypt, usesHKDF: usesHKDF)
                .wrap(masterKey, password: password),
            scrypt: scrypt,
            features: features,
            longNameMax: longNameMax
        )
    }

    /// Unwraps the master key; takes as long as the cost says.
    ///
    /// - Parameter password: The volume's key as text.
    /// - Returns: The key.
    /// - Throws: ``VolumeFormatError/wrongPassword``, ``VolumeFormatError/cryptography(_:)``.
    public func unlock(
        password: SecretBytes
    ) throws(VolumeFormatError) -> GocryptfsMasterKey {
        try GocryptfsKeyWrap(scrypt, usesHKDF: usesHKDF).unwrap(encryptedKey, password: password)
    }
}
