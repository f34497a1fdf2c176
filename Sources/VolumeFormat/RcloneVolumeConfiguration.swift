public import Cryptography

/// What one `crypt` remote of a configuration means.
///
/// Options that would change what is stored and are not supported are refused by name: a volume is
/// read right, or not at all.
///
/// Format: `docs/formats.md` §5.
public struct RcloneVolumeConfiguration: Sendable {
    /// What the original program called its volume; taken where there are several.
    public static let originalName = "encrypted_storage"

    /// The configuration this is part of.
    public let configuration: RcloneConfiguration

    /// The remote's name.
    public let remoteName: String

    /// The directory that the remote says it encrypts: the text after the remote it wraps, if any.
    public let remotePath: String

    /// The first password, revealed.
    public let password: SecretBytes

    /// The second password, revealed; nil for rclone's public salt.
    public let password2: SecretBytes?

    /// `filename_encryption`.
    public let nameEncryption: NameEncryption

    /// `filename_encoding`.
    public let nameEncoding: NameEncoding

    /// `directory_name_encryption`.
    public let encryptsDirectoryNames: Bool

    /// What files end in where names are not encrypted; empty for `suffix = none`.
    public let suffix: String

    /// Reads the volume's options.
    ///
    /// - Parameters:
    ///   - configuration: Decrypted.
    ///   - name: The remote to take. By default the only one of type `crypt`, or among several the
    ///     one called `encrypted_storage`.
    /// - Throws: ``VolumeFormatError/configuration(_:)``.
    public init(
        _ configuration: RcloneConfiguration,
        remote name: String? = nil
    ) throws(VolumeFormatError) {
        do throws(ConfigurationFault) {
            let name = if let name { name } else { try Self.volumeName(in: configuration) }
            let options = RemoteOptions(configuration: configuration, remote: name)
            try options.requireType("crypt")
            try options.refuse(Self.unsupported)
            password = try options.revealed("password")
            password2 = try options.revealedIfSet("password2")
            nameEncryption = try options.choice("filename_encryption", default: .standard)
            nameEncoding = try options.choice("filename_encoding", default: .base32)
            encryptsDirectoryNames = try options.flag("directory_name_encryption", default: true)
            suffix = try options.suffix()
            remotePath = try WrappedRemote.path(
                try options.required("remote"),
                of: name,
                in: configuration
            )
            remoteName = name
        } catch {
            throw .configuration(error)
        }
        self.configuration = configuration
    }

    /// Derives the volume's keys.
    public func makeKeys() throws(VolumeFormatError) -> RcloneKeys {
        try RcloneKeys(password: password, salt: password2)
    }

    /// Sets the volume's name cipher up.
    public func makeNames(keys: RcloneKeys) throws(VolumeFormatError) -> RcloneNames {
        try RcloneNames(
            keys: keys,
            encryption: nameEncryption,
            encoding: nameEncoding,
            directoryNames: encryptsDirectoryNames,
            suffix: suffix
        )
    }

    /// Options that must be off, because content or names would be stored or read in another way.
    private static let unsupported = ["no_data_encryption", "pass_bad_blocks"]

    private static func volumeName(
        in configuration: RcloneConfiguration
    ) throws(ConfigurationFault) -> String {
        let names = configuration.remoteNames.filter {
            configuration.value("type", of: $0) == "crypt"
        }
        guard let first = names.first else { throw .noVolume }
        if names.count == 1 { return first }
        guard names.contains(originalName) else { throw .severalVolumes(names: names) }
        return originalName
    }
}
