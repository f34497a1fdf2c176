public import CryptFS
public import Cryptography
internal import Linux
public import VolumeFormat

/// A volume's storage, opened by path for whoever reads or fills it without mounting it.
public final class StoredVolume: Sendable {
    /// What is going to be done with the storage.
    public enum Access: Sendable {
        /// Nothing is changed.
        case reading

        /// Files are added or replaced; nobody else may write at the same time.
        case writing
    }

    /// What happens where there is no volume yet.
    public enum Creation: Sendable {
        /// That is an error.
        case never

        /// An empty storage becomes a volume with this configuration.
        case ifEmpty(RcloneVolumeConfiguration)

        /// As ``ifEmpty(_:)``, and a volume that is there already is an error.
        case required(RcloneVolumeConfiguration)

        var configuration: RcloneVolumeConfiguration? {
            switch self {
            case .never: nil
            case .ifEmpty(let configuration), .required(let configuration): configuration
            }
        }
    }

    /// What the volume's configuration says.
    public let configuration: RcloneVolumeConfiguration

    /// Whether this opening made it.
    public let isNew: Bool

    let path: String
    let root: OwnedDescriptor
    let keys: RcloneKeys
    let names: RcloneNames

    /// Opens a volume, or makes one.
    ///
    /// - Parameters:
    ///   - location: Where it lies; without a configuration, `./encrypt.conf`.
    ///   - key: The key as text.
    ///   - access: Writing takes the storage's lock, and holds it as long as this lives.
    ///   - creation: What happens where there is no volume yet.
    /// - Throws: ``TransferError``.
    public init(
        _ location: VolumeLocation,
        key: SecretBytes,
        access: Access,
        creation: Creation = .never
    ) throws(TransferError) {
        let file = VolumeConfigurationFile(path: location.configuration ?? "./encrypt.conf")
        let existing = try stopping { () throws(VolumeError) in try file.read(key: key) }
        if let existing {
            if case .required = creation { throw .exists(path: file.path) }
            root = try stopping { () throws(VolumeError) in
                try StorageDirectoryFile.open(location.storage, isReadOnly: access == .reading)
            }
            configuration = existing
        } else {
            let hasContent = try stopping { () throws(VolumeError) in
                try StorageDirectoryFile.hasContent(location.storage)
            }
            guard !hasContent, let new = creation.configuration else {
                throw .volume(
                    .configurationMissing(
                        path: file.path,
                        storage: location.storage,
                        storageHasContent: hasContent
                    )
                )
            }
            root = try stopping { () throws(VolumeError) in
                let root = try StorageDirectoryFile.create(location.storage)
                try file.write(new.configuration, key: key)
                return root
            }
            configuration = new
        }
        isNew = existing == nil
        path = location.storage
        do throws(VolumeFormatError) {
            keys = try configuration.makeKeys()
            names = try configuration.makeNames(keys: keys)
        } catch {
            throw .volume(.configurationInvalid(path: file.path, cause: error))
        }
    }
}
