internal import CryptFS
internal import Cryptography
internal import VolumeFormat

/// A volume's configuration, unlocked.
enum StoredConfiguration {
    case rclone(RcloneVolumeConfiguration)
    case gocryptfs(GocryptfsConfiguration, GocryptfsMasterKey)

    /// Where the original program had it.
    private static let besideCommand = "./encrypt.conf"

    /// Where a volume's configuration is: where a person says; else in the storage; else beside the
    /// command.
    ///
    /// Where there is none yet, where one of the new volume's format would be.
    static func find(
        _ location: VolumeLocation,
        for new: NewVolume?
    ) throws(VolumeError) -> VolumeConfigurationFile {
        if let path = location.configuration { return VolumeConfigurationFile(path: path) }
        let name = "\(GocryptfsNames.configurationName)"
        let inStorage = VolumeConfigurationFile(path: "\(location.storage)/\(name)")
        if try inStorage.exists() { return inStorage }
        let besideCommand = VolumeConfigurationFile(path: besideCommand)
        if case .gocryptfs = new, try !besideCommand.exists() { return inStorage }
        return besideCommand
    }

    /// Reads a configuration, of whichever format it is, and unlocks it; nil where there is no such
    /// file.
    init?(reading file: VolumeConfigurationFile, key: SecretBytes) throws(VolumeError) {
        guard let bytes = try file.contents() else { return nil }
        guard bytes.withUnsafeBytes(GocryptfsConfiguration.recognizes) else {
            guard let configuration = try file.read(key: key) else { return nil }
            self = .rclone(configuration)
            return
        }
        let configuration = try Self.parse(bytes, file)
        do throws(VolumeFormatError) {
            self = .gocryptfs(configuration, try configuration.unlock(password: key))
        } catch .wrongPassword {
            throw .wrongKey(configuration: file.path)
        } catch {
            throw .configurationInvalid(path: file.path, cause: error)
        }
    }

    static func parse(
        _ bytes: [UInt8],
        _ file: VolumeConfigurationFile
    ) throws(VolumeError) -> GocryptfsConfiguration {
        do throws(VolumeFormatError) {
            return try bytes.withUnsafeBufferPointer { bytes throws(VolumeFormatError) in
                try GocryptfsConfiguration(parsing: UnsafeRawBufferPointer(bytes))
            }
        } catch {
            throw .configurationInvalid(path: file.path, cause: error)
        }
    }
}
