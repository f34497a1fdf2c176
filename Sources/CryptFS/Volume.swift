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

    /// Others than this one writer change the storage underneath: nothing is relied on for longer
    /// than a second, and no write is put off.
    public var isShared: Bool

    /// No loss of power leaves a block torn that was synchronised: what is written over is in a journal first.
    ///
    /// Of gocryptfs's format only, and not with ``isShared``.
    public var keepsJournal: Bool

    /// Where there is no configuration and the storage is empty, a new volume is made.
    public var createsIfEmpty: Bool

    /// Whose format a new volume has.
    public var format: VolumeKind

    /// The key was generated, with 256 random bits: guessing it is hopeless whatever an attempt costs.
    public var keyIsGenerated: Bool

    /// Puts the options together.
    public init(
        isReadOnly: Bool = false,
        isShared: Bool = false,
        keepsJournal: Bool = false,
        createsIfEmpty: Bool = false,
        format: VolumeKind = .gocryptfs,
        keyIsGenerated: Bool = false
    ) {
        self.isReadOnly = isReadOnly
        self.isShared = isShared
        self.keepsJournal = keepsJournal
        self.createsIfEmpty = createsIfEmpty
        self.format = format
        self.keyIsGenerated = keyIsGenerated
    }
}

extension VolumeOptions {
    /// Whether a volume of a format has a journal: rclone's files are replaced whole and need none, and where others
    /// write too nobody could complete what it notes.
    fileprivate func keepsJournal(in format: VolumeKind) -> Bool {
        keepsJournal && format == .gocryptfs && !isReadOnly && !isShared
    }
}

/// The formats there are.
public enum VolumeKind: String, CaseIterable, Sendable {
    /// gocryptfs v2: files are changed in place.
    case gocryptfs

    /// rclone crypt: what the original program wrote.
    case rclone
}

/// An open volume: its keys, its names, and the exclusive right to write to its storage.
public final class Volume: Sendable {
    /// Whether this opening made it.
    public let isNew: Bool

    /// What became of a configuration that was sealed under an older key.
    public let keyRenewal: KeyRenewal?

    /// What became of a configuration that was sealed under an older key.
    public enum KeyRenewal: Sendable {
        /// It is sealed under the newest key now, and no copy of the old one is left.
        case done

        /// It stays as it is, because nothing is to be changed.
        case notWanted

        /// It stays as it is.
        case failed(VolumeError)
    }

    /// Whether it was opened for reading only.
    public let isReadOnly: Bool

    /// Whether nobody but this process changes the storage meanwhile.
    private let isExclusive: Bool

    /// Whose format it is; the one place that says which there are.
    enum Storage: Sendable {
        case gocryptfs(GocryptfsStorage)
        case rclone(RcloneStorage)
    }

    let storage: Storage

    /// Held for writing, as long as the volume lives; nil where it is only read.
    public let lock: WriterLock?

    /// Whose format it is, in one word.
    public var formatName: String {
        switch storage {
        case .gocryptfs: VolumeKind.gocryptfs.rawValue
        case .rclone: VolumeKind.rclone.rawValue
        }
    }

    /// The storage's topmost directory as it was opened: its path may lead elsewhere by now.
    ///
    /// Open as long as the volume lives.
    public var root: Int32 {
        switch storage {
        case .gocryptfs(let storage): storage.root.rawValue
        case .rclone(let storage): storage.root.rawValue
        }
    }

    private init(
        storage: Storage,
        _ lock: WriterLock?,
        isNew: Bool,
        keyRenewal: KeyRenewal?,
        _ options: VolumeOptions
    ) {
        self.storage = storage
        self.lock = lock
        self.isNew = isNew
        self.keyRenewal = keyRenewal
        isReadOnly = options.isReadOnly
        isExclusive = !options.isReadOnly && !options.isShared
    }

    /// Opens a volume, or makes one.
    ///
    /// Nothing on disk is changed unless this succeeds; a wrong key changes nothing. A volume that
    /// only an older key opens is sealed under `key`, see ``keyRenewal``.
    ///
    /// - Parameters:
    ///   - location: Where it lies.
    ///   - key: The key as served, as text.
    ///   - olderKeys: Earlier generations of it, the latest first.
    ///   - options: How to open it.
    /// - Returns: The volume; the storage stays locked as long as it lives.
    /// - Throws: ``VolumeError``.
    public static func open(
        _ location: VolumeLocation,
        key: SecretBytes,
        olderKeys: [SecretBytes] = [],
        options: VolumeOptions = VolumeOptions()
    ) throws(VolumeError) -> Volume {
        let file = try VolumeConfiguration.find(location, for: options.format)
        if let (found, isUnderOlderKey) = try VolumeConfiguration.read(
            file,
            key: key,
            olderKeys: olderKeys
        ) {
            let root =
                options.createsIfEmpty && !options.isReadOnly
                ? try StorageDirectoryFile.create(location.storage)
                : try StorageDirectoryFile.open(location.storage)
            let lock =
                options.isReadOnly
                ? nil
                : try WriterLock(
                    of: root.rawValue,
                    path: location.storage,
                    keepsJournal: options.keepsJournal(in: found.kind)
                )
            // Behind the lock: nobody else does the same.
            let renewal = isUnderOlderKey ? renew(found, in: file, under: key, options) : nil
            return try Volume(found, at: file.path, root: root, lock, keyRenewal: renewal, options)
        }
        let hasContent = try StorageDirectoryFile.hasContent(location.storage)
        guard options.createsIfEmpty, !options.isReadOnly, !hasContent else {
            throw .configurationMissing(
                path: file.path,
                storage: location.storage,
                storageHasContent: hasContent
            )
        }
        let root = try StorageDirectoryFile.create(location.storage)
        let lock = try WriterLock(
            of: root.rawValue,
            path: location.storage,
            keepsJournal: options.keepsJournal(in: options.format)
        )
        let new = try VolumeConfiguration.deriving(file.path) { () throws(VolumeFormatError) in
            try NewVolume.usual(options.format, keyIsGenerated: options.keyIsGenerated)
        }
        let made = try new.make(in: root, file, key: key)
        return try Volume(made, at: file.path, root: root, lock, isNew: true, options)
    }

    /// Seals a configuration under the newest key.
    private static func renew(
        _ configuration: VolumeConfiguration,
        in file: VolumeConfigurationFile,
        under key: SecretBytes,
        _ options: VolumeOptions
    ) -> KeyRenewal {
        guard !options.isReadOnly else { return .notWanted }
        do throws(VolumeError) {
            let bytes = try VolumeConfiguration.deriving(file.path) {
                () throws(VolumeFormatError) in
                try configuration.sealed(
                    under: key,
                    scryptExponent: GocryptfsScrypt.usualExponent(
                        forGeneratedKey: options.keyIsGenerated
                    )
                )
            }
            try file.write(bytes, replacing: true)
            return .done
        } catch {
            return .failed(error)
        }
    }

    private convenience init(
        _ configuration: VolumeConfiguration,
        at path: String,
        root: consuming OwnedDescriptor,
        _ lock: WriterLock?,
        isNew: Bool = false,
        keyRenewal: KeyRenewal? = nil,
        _ options: VolumeOptions
    ) throws(VolumeError) {
        let storage: Storage
        switch configuration {
        case .gocryptfs(let configuration, let masterKey):
            let (keys, names) = try VolumeConfiguration.deriving(path) {
                () throws(VolumeFormatError) in
                let keys = try configuration.makeKeys(masterKey)
                return (keys, try configuration.makeNames(keys: keys))
            }
            do throws(Errno) {
                storage = .gocryptfs(
                    try GocryptfsStorage(
                        root: root,
                        keys: keys,
                        names: names,
                        isShared: options.isReadOnly || options.isShared,
                        intents: options.isShared
                            ? nil
                            : lock.map { lock in
                                WriteIntents(
                                    lock,
                                    isJournal: options.keepsJournal(in: .gocryptfs)
                                )
                            }
                    )
                )
            } catch {
                throw .system(operation: "open", path: path, error)
            }
            if case .gocryptfs(let storage) = storage, let intents = storage.intents {
                if intents.isJournal || lock?.followsJournal == true { storage.completeAll() }
                if intents.isJournal { intents.reserveRoom() }
            }
        case .rclone(let configuration):
            let (keys, names) = try VolumeConfiguration.deriving(path) {
                () throws(VolumeFormatError) in
                let keys = try configuration.makeKeys()
                return (keys, try configuration.makeNames(keys: keys))
            }
            do throws(Errno) {
                let rclone = try RcloneStorage(root: root, keys: keys, names: names)
                if !options.isReadOnly { try rclone.removeAbandonedDrafts() }
                storage = .rclone(rclone)
            } catch {
                throw .system(operation: "open", path: path, error)
            }
        }
        self.init(storage: storage, lock, isNew: isNew, keyRenewal: keyRenewal, options)
    }

    /// What answers the kernel for this volume.
    func makeHandler() throws(Errno) -> any RequestHandler {
        switch storage {
        case .gocryptfs(let storage):
            try Filesystem(
                format: storage,
                root: try storage.root.duplicate(),
                isReadOnly: isReadOnly,
                isExclusive: isExclusive
            )
        case .rclone(let storage):
            try Filesystem(
                format: storage,
                root: try storage.root.duplicate(),
                isReadOnly: isReadOnly,
                isExclusive: isExclusive
            )
        }
    }
}
