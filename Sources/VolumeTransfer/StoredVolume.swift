public import CryptFS
public import Cryptography
internal import Linux
internal import VolumeFormat

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

        /// An empty storage becomes a volume like this.
        case ifEmpty(NewVolume)

        /// As ``ifEmpty(_:)``, and a volume that is there already is an error.
        case required(NewVolume)

        var volume: NewVolume? {
            switch self {
            case .never: nil
            case .ifEmpty(let volume), .required(let volume): volume
            }
        }
    }

    /// What the volume's configuration says.
    public let format: StoredFormat

    /// Where the volume's configuration is.
    public let configurationPath: String

    /// Whether this opening made it.
    public let isNew: Bool

    let path: String
    let root: OwnedDescriptor

    /// The storage's topmost directory, open as long as this lives.
    public var rootDescriptor: Int32 { root.rawValue }

    /// Who held the writer's lock last and did not end as one should.
    public var abandoned: WriterRecord? { lock?.abandoned }

    /// Whether a writer was killed, and what it was writing may still have to be completed: who mounts the volume
    /// for writing does that, not who opens it like this.
    public var followsInterruptedWriter: Bool {
        lock?.followsInterruptedWriter ?? WriterLock.hasInterruptedWriter(in: root.rawValue)
    }

    /// Whether blocks can be replaced, and should be.
    ///
    /// - Throws: ``TransferError/blocksNotReplaceable(storage:)``, ``TransferError/interruptedWriter(storage:)``.
    func demandReplaceableBlocks() throws(TransferError) {
        guard case .gocryptfs = cipher else { throw .blocksNotReplaceable(storage: path) }
        guard !followsInterruptedWriter else { throw .interruptedWriter(storage: path) }
    }

    /// Whose format it is, in one word.
    public var formatName: String {
        switch cipher {
        case .gocryptfs: VolumeKind.gocryptfs.rawValue
        case .rclone: VolumeKind.rclone.rawValue
        }
    }

    /// Held for writing, as long as this lives.
    private let lock: WriterLock?
    let cipher: StoredCipher

    /// Opens a volume, or makes one.
    ///
    /// - Parameters:
    ///   - location: Where it lies; without a configuration, that is
    ///     looked for: `gocryptfs.conf` in the storage, else `./encrypt.conf`.
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
        let (file, existing) = try stopping { () throws(VolumeError) in
            let file = try VolumeConfiguration.find(location, for: creation.volume?.kind)
            return (file, try VolumeConfiguration(reading: file, key: key))
        }
        let configuration: VolumeConfiguration
        if let existing {
            if case .required = creation { throw .exists(path: file.path) }
            root = try stopping { () throws(VolumeError) in
                try StorageDirectoryFile.open(location.storage)
            }
            lock = access == .reading ? nil : try Self.lock(root.rawValue, location)
            configuration = existing
        } else {
            let hasContent = try stopping { () throws(VolumeError) in
                try StorageDirectoryFile.hasContent(location.storage)
            }
            guard !hasContent, let new = creation.volume else {
                throw .volume(
                    .configurationMissing(
                        path: file.path,
                        storage: location.storage,
                        storageHasContent: hasContent
                    )
                )
            }
            root = try stopping { () throws(VolumeError) in
                try StorageDirectoryFile.create(location.storage)
            }
            lock = try Self.lock(root.rawValue, location)
            do throws(VolumeError) {
                configuration = try new.make(in: root, file, key: key)
            } catch {
                throw .volume(error)
            }
        }
        isNew = existing == nil
        path = location.storage
        configurationPath = file.path
        format = StoredFormat(configuration)
        do throws(VolumeFormatError) {
            cipher = try StoredCipher(configuration)
        } catch {
            throw .volume(.configurationInvalid(path: file.path, cause: error))
        }
    }

    /// A volume whose configuration is not on the disk yet, for reading.
    init(
        _ location: VolumeLocation,
        _ configuration: VolumeConfiguration,
        at path: String
    ) throws(TransferError) {
        root = try stopping { () throws(VolumeError) in
            try StorageDirectoryFile.open(location.storage)
        }
        lock = nil
        isNew = false
        self.path = location.storage
        configurationPath = path
        format = StoredFormat(configuration)
        do throws(VolumeFormatError) {
            cipher = try StoredCipher(configuration)
        } catch {
            throw .volume(.configurationInvalid(path: path, cause: error))
        }
    }

    private static func lock(
        _ root: Int32,
        _ location: VolumeLocation
    ) throws(TransferError) -> WriterLock {
        try stopping { () throws(VolumeError) in
            try WriterLock(of: root, path: location.storage)
        }
    }
}
