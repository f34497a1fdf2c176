package import Cryptography
internal import Linux
package import VolumeFormat

/// A volume's configuration, unlocked: which format it has, and its keys.
package enum VolumeConfiguration {
    case gocryptfs(GocryptfsConfiguration, GocryptfsMasterKey)
    case rclone(RcloneVolumeConfiguration)

    /// Whose format it is.
    var kind: VolumeKind {
        switch self {
        case .gocryptfs: .gocryptfs
        case .rclone: .rclone
        }
    }

    /// Beside the command, where the original program had it.
    private static let besideCommand = "./encrypt.conf"

    /// Where a volume's configuration is.
    ///
    /// Where a person says; else in the storage; else beside the command.
    ///
    /// - Parameters:
    ///   - location: Where the volume lies.
    ///   - kind: Where there is none yet, the place is where one of this format would be made; nil
    ///     where none is to be made.
    /// - Returns: The file, which may be there or not.
    /// - Throws: ``VolumeError`` when it cannot be looked for.
    package static func find(
        _ location: VolumeLocation,
        for kind: VolumeKind?
    ) throws(VolumeError) -> VolumeConfigurationFile {
        if let path = location.configuration { return VolumeConfigurationFile(path: path) }
        let inStorage = VolumeConfigurationFile(
            path: location.storage + "/\(GocryptfsNames.configurationName)"
        )
        let besideCommand = VolumeConfigurationFile(path: besideCommand)
        if try inStorage.exists() { return inStorage }
        if try besideCommand.exists() { return besideCommand }
        return kind == .gocryptfs ? inStorage : besideCommand
    }

    /// Reads a configuration, of whichever format it is, and unlocks it.
    ///
    /// - Returns: Nil when there is no such file.
    /// - Throws: ``VolumeError``, with ``VolumeError/wrongKey(configuration:)`` for another's key.
    package init?(reading file: VolumeConfigurationFile, key: SecretBytes) throws(VolumeError) {
        guard let bytes = try file.contents() else { return nil }
        guard bytes.withUnsafeBytes(GocryptfsConfiguration.recognizes) else {
            guard let configuration = try file.read(key: key) else { return nil }
            self = .rclone(configuration)
            return
        }
        do throws(VolumeFormatError) {
            let configuration = try Self.parse(bytes)
            self = .gocryptfs(configuration, try configuration.unlock(password: key))
        } catch .wrongPassword {
            throw .wrongKey(configuration: file.path)
        } catch {
            throw .configurationInvalid(path: file.path, cause: error)
        }
    }

    /// Reads a gocryptfs configuration, which stays locked.
    package static func parse(
        _ bytes: [UInt8]
    ) throws(VolumeFormatError) -> GocryptfsConfiguration {
        try bytes.withUnsafeBufferPointer { bytes throws(VolumeFormatError) in
            try GocryptfsConfiguration(parsing: UnsafeRawBufferPointer(bytes))
        }
    }

    /// Reads a configuration that a key of several opens.
    ///
    /// - Parameters:
    ///   - file: Where it is.
    ///   - key: Tried first.
    ///   - olderKeys: Tried then, in order.
    /// - Returns: The configuration, and whether it took an older key; nil when there is no such
    ///   file.
    /// - Throws: ``VolumeError``, with ``VolumeError/wrongKey(configuration:)`` where none does.
    static func read(
        _ file: VolumeConfigurationFile,
        key: SecretBytes,
        olderKeys: [SecretBytes]
    ) throws(VolumeError) -> (VolumeConfiguration, isUnderOlderKey: Bool)? {
        do throws(VolumeError) {
            return try VolumeConfiguration(reading: file, key: key).map { ($0, false) }
        } catch .wrongKey(let path) {
            for older in olderKeys {
                do throws(VolumeError) {
                    return try VolumeConfiguration(reading: file, key: older).map { ($0, true) }
                } catch .wrongKey {
                    continue
                }
            }
            throw .wrongKey(configuration: path)
        }
    }

    /// What the configuration's file holds when it is sealed under another key.
    ///
    /// - Parameters:
    ///   - key: The key as text.
    ///   - scryptExponent: What an attempt at it costs; of gocryptfs's format only.
    /// - Returns: The file's bytes.
    /// - Throws: ``VolumeFormatError``, where the library fails.
    package func sealed(
        under key: SecretBytes,
        scryptExponent: Int
    ) throws(VolumeFormatError) -> [UInt8] {
        switch self {
        case .rclone(let configuration):
            try configuration.configuration.encrypted(password: key)
        case .gocryptfs(let configuration, let masterKey):
            try configuration.rewrapped(
                masterKey,
                password: key,
                scrypt: GocryptfsScrypt(exponent: scryptExponent)
            ).text
        }
    }

    /// Runs a call of the format's; a configuration that it fails with is invalid.
    static func deriving<Result>(
        _ path: String,
        _ body: () throws(VolumeFormatError) -> Result
    ) throws(VolumeError) -> Result {
        do throws(VolumeFormatError) {
            return try body()
        } catch {
            throw .configurationInvalid(path: path, cause: error)
        }
    }
}
