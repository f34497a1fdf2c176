package import Cryptography
internal import Linux
package import VolumeFormat

/// A volume's configuration, unlocked: which format it has, and its keys.
package enum VolumeConfiguration {
    case gocryptfs(GocryptfsConfiguration, GocryptfsMasterKey)
    case rclone(RcloneVolumeConfiguration)

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

    /// Makes a new volume in an empty storage.
    init(
        making options: VolumeOptions,
        in root: Int32,
        file: VolumeConfigurationFile,
        key: SecretBytes
    ) throws(VolumeError) {
        switch options.format {
        case .rclone:
            let configuration = try Self.deriving(file.path) { () throws(VolumeFormatError) in
                try RcloneVolumeConfiguration.new()
            }
            try file.write(configuration.configuration, key: key)
            self = .rclone(configuration)
        case .gocryptfs:
            let masterKey = GocryptfsMasterKey.random()
            let configuration = try Self.deriving(file.path) { () throws(VolumeFormatError) in
                try GocryptfsConfiguration.new(
                    masterKey: masterKey,
                    password: key,
                    cipher: AESGCM.isFast ? .aesGCM : .xchacha20Poly1305,
                    // What scrypt costs protects passwords that can be guessed.
                    scrypt: GocryptfsScrypt(
                        exponent: options.keyIsGenerated
                            ? GocryptfsScrypt.exponents.lowerBound
                            : GocryptfsScrypt.defaultExponent
                    ),
                    creator: "secure-store"
                )
            }
            try describing("write", file.path) { () throws(Errno) in
                try GocryptfsStorage.makeDirectoryIV(in: root)
            }
            // Last: from here on it is a volume.
            try file.write(configuration.text)
            self = .gocryptfs(configuration, masterKey)
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
