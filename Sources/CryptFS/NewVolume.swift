public import Cryptography
package import Linux
public import VolumeFormat

/// What a new volume is to be like.
public enum NewVolume: Sendable {
    /// Of rclone's format, with this configuration.
    case rclone(RcloneVolumeConfiguration)

    /// Of gocryptfs's format, made as this says.
    case gocryptfs(Gocryptfs)

    /// What may differ between new volumes of gocryptfs's format.
    public struct Gocryptfs: Sendable {
        /// What is to seal the content.
        public var cipher: GocryptfsCipher

        /// How names are to be stored.
        public var names: GocryptfsNameScheme

        /// Exponent of scrypt's cost N, within ``GocryptfsScrypt/exponents``.
        public var scryptExponent: Int

        /// Puts the choices together.
        ///
        /// - Parameters:
        ///   - cipher: By default AES where the processor has instructions for it.
        ///   - names: By default encrypted, apart in each directory.
        ///   - scryptExponent: See ``GocryptfsScrypt/usualExponent(forGeneratedKey:)``.
        public init(
            cipher: GocryptfsCipher = AESGCM.isFast ? .aesGCM : .xchacha20Poly1305,
            names: GocryptfsNameScheme = .encrypted(GocryptfsNameScheme.Encrypted()),
            scryptExponent: Int
        ) {
            self.cipher = cipher
            self.names = names
            self.scryptExponent = scryptExponent
        }
    }

    /// A volume of which nothing but the format is said.
    ///
    /// - Parameters:
    ///   - kind: Whose format.
    ///   - keyIsGenerated: Whether guessing the key is hopeless whatever an attempt costs.
    /// - Returns: What it is to be like.
    /// - Throws: ``VolumeFormatError``, where the library fails.
    public static func usual(
        _ kind: VolumeKind,
        keyIsGenerated: Bool
    ) throws(VolumeFormatError) -> NewVolume {
        switch kind {
        case .rclone: .rclone(try .new())
        case .gocryptfs:
            .gocryptfs(
                Gocryptfs(
                    scryptExponent: GocryptfsScrypt.usualExponent(forGeneratedKey: keyIsGenerated)
                )
            )
        }
    }

    /// Whose format it is to have.
    package var kind: VolumeKind {
        switch self {
        case .rclone: .rclone
        case .gocryptfs: .gocryptfs
        }
    }

    /// Makes the volume in an empty storage; its configuration last, which makes it one.
    ///
    /// - Parameters:
    ///   - root: The storage's directory.
    ///   - file: The configuration's, which is not there yet.
    ///   - key: The key as text.
    /// - Returns: Its configuration, unlocked.
    /// - Throws: ``VolumeError``.
    package func make(
        in root: borrowing OwnedDescriptor,
        _ file: VolumeConfigurationFile,
        key: SecretBytes
    ) throws(VolumeError) -> VolumeConfiguration {
        switch self {
        case .rclone(let configuration):
            try file.write(configuration.configuration, key: key)
            return .rclone(configuration)
        case .gocryptfs(let choices):
            let masterKey = GocryptfsMasterKey.random()
            let configuration = try VolumeConfiguration.deriving(file.path) {
                () throws(VolumeFormatError) in
                try choices.configuration(masterKey, key: key)
            }
            if choices.names.hasDirectoryIVs {
                let root = root.rawValue
                try describing("write", file.path) { () throws(Errno) in
                    try GocryptfsStorage.makeDirectoryIV(in: root)
                }
            }
            try file.write(configuration.text)
            return .gocryptfs(configuration, masterKey)
        }
    }
}

extension NewVolume.Gocryptfs {
    /// The configuration of a volume with this master key.
    package func configuration(
        _ masterKey: GocryptfsMasterKey,
        key: SecretBytes
    ) throws(VolumeFormatError) -> GocryptfsConfiguration {
        try GocryptfsConfiguration.new(
            masterKey: masterKey,
            password: key,
            cipher: cipher,
            names: names,
            scrypt: GocryptfsScrypt(exponent: scryptExponent),
            creator: "secure-store"
        )
    }
}
