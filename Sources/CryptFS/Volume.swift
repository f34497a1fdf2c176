public import Cryptography
internal import Linux
internal import VolumeFormat

/// Where a volume lies.
public struct VolumeLocation: Sendable {
    /// The directory with the ciphertext.
    public let storage: String

    /// The volume's configuration; nil to look for it.
    public let configuration: String?

    /// Puts the two together.
    public init(storage: String, configuration: String? = nil) {
        self.storage = storage
        self.configuration = configuration
    }
}

/// How a volume is to be opened.
public struct VolumeOptions: Sendable {
    /// Nothing is changed, and others may have it open.
    public var isReadOnly: Bool

    /// Where there is no configuration and the storage is empty, a new volume is made.
    public var createsIfEmpty: Bool

    /// Puts the options together.
    public init(isReadOnly: Bool = false, createsIfEmpty: Bool = false) {
        self.isReadOnly = isReadOnly
        self.createsIfEmpty = createsIfEmpty
    }
}

/// An open volume: its keys, its names, and the exclusive right to write to its storage.
public final class Volume: Sendable {
    /// Whether this opening made it.
    public let isNew: Bool

    /// Whether it was opened for reading only.
    public let isReadOnly: Bool

    /// Whose format it is; the one place that says which there are.
    enum Storage: Sendable {
        case rclone(RcloneStorage)
    }

    let storage: Storage

    /// Whose format it is, in one word.
    public var formatName: String {
        switch storage {
        case .rclone: "rclone"
        }
    }

    private init(storage: Storage, isNew: Bool, isReadOnly: Bool) {
        self.storage = storage
        self.isNew = isNew
        self.isReadOnly = isReadOnly
    }

    /// Opens a volume, or makes one.
    ///
    /// Nothing on disk is changed unless this succeeds; a wrong key changes nothing.
    ///
    /// - Parameters:
    ///   - location: Where it lies.
    ///   - key: The key as served, as text.
    ///   - options: How to open it.
    /// - Returns: The volume; the storage stays locked as long as it lives.
    /// - Throws: ``VolumeError``.
    public static func open(
        _ location: VolumeLocation,
        key: SecretBytes,
        options: VolumeOptions = VolumeOptions()
    ) throws(VolumeError) -> Volume {
        let file = VolumeConfigurationFile(path: location.configuration ?? defaultConfiguration)
        if let configuration = try file.read(key: key) {
            let root =
                options.createsIfEmpty && !options.isReadOnly
                ? try StorageDirectoryFile.create(location.storage)
                : try StorageDirectoryFile.open(
                    location.storage,
                    isReadOnly: options.isReadOnly
                )
            return try Volume(
                configuration,
                at: file.path,
                root: root,
                isNew: false,
                options
            )
        }
        let hasContent = try StorageDirectoryFile.hasContent(location.storage)
        guard options.createsIfEmpty, !options.isReadOnly, !hasContent else {
            throw .configurationMissing(
                path: file.path,
                storage: location.storage,
                storageHasContent: hasContent
            )
        }
        let configuration: RcloneVolumeConfiguration
        do throws(VolumeFormatError) {
            configuration = try RcloneVolumeConfiguration.new()
        } catch {
            throw .configurationInvalid(path: file.path, cause: error)
        }
        let root = try StorageDirectoryFile.create(location.storage)
        try file.write(configuration.configuration, key: key)
        return try Volume(configuration, at: file.path, root: root, isNew: true, options)
    }

    /// Where a configuration is looked for: beside the command, as the original program did.
    private static let defaultConfiguration = "./encrypt.conf"

    private convenience init(
        _ configuration: RcloneVolumeConfiguration,
        at path: String,
        root: consuming OwnedDescriptor,
        isNew: Bool,
        _ options: VolumeOptions
    ) throws(VolumeError) {
        let keys: RcloneKeys
        let names: RcloneNames
        do throws(VolumeFormatError) {
            keys = try configuration.makeKeys()
            names = try configuration.makeNames(keys: keys)
        } catch {
            throw .configurationInvalid(path: path, cause: error)
        }
        let storage: RcloneStorage
        do throws(Errno) {
            storage = try RcloneStorage(root: root, keys: keys, names: names)
            if !options.isReadOnly { try storage.removeAbandonedDrafts() }
        } catch {
            throw .system(operation: "open", path: path, error)
        }
        self.init(
            storage: .rclone(storage),
            isNew: isNew,
            isReadOnly: options.isReadOnly
        )
    }

    /// What answers the kernel for this volume.
    func makeHandler() throws(Errno) -> any RequestHandler {
        switch storage {
        case .rclone(let storage):
            try Filesystem(
                format: storage,
                root: try storage.root.duplicate(),
                isReadOnly: isReadOnly
            )
        }
    }
}
