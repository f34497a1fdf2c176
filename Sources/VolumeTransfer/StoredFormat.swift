internal import CryptFS
public import VolumeFormat

/// What a volume's configuration says.
public enum StoredFormat: Sendable {
    /// rclone crypt v1.
    case rclone(RcloneVolumeConfiguration)

    /// gocryptfs, format 2.
    case gocryptfs(GocryptfsConfiguration)

    init(_ configuration: VolumeConfiguration) {
        switch configuration {
        case .rclone(let configuration): self = .rclone(configuration)
        case .gocryptfs(let configuration, _): self = .gocryptfs(configuration)
        }
    }
}

/// A volume's keys, and its names.
enum StoredCipher: Sendable {
    case rclone(RcloneKeys, RcloneNames)
    case gocryptfs(GocryptfsKeys, GocryptfsNames)

    init(_ configuration: VolumeConfiguration) throws(VolumeFormatError) {
        switch configuration {
        case .rclone(let configuration):
            let keys = try configuration.makeKeys()
            self = .rclone(keys, try configuration.makeNames(keys: keys))
        case .gocryptfs(let configuration, let masterKey):
            let keys = try configuration.makeKeys(masterKey)
            self = .gocryptfs(keys, try configuration.makeNames(keys: keys))
        }
    }

    /// The length of a file's content; nil for a stored size that no content has.
    func contentCount(forStored size: UInt64) -> UInt64? {
        switch self {
        case .rclone: try? RcloneContent.plaintextCount(forCiphertext: size)
        case .gocryptfs(let keys, _):
            try? GocryptfsGeometry(keys.cipher).plaintextCount(forStored: size)
        }
    }
}
