public import CryptFS
public import Cryptography
internal import Linux
public import VolumeFormat

/// Gives a volume of gocryptfs's format a configuration again, from the master key on paper.
public struct Recovery: Sendable {
    private let location: VolumeLocation
    private let masterKey: GocryptfsMasterKey

    /// - Parameters:
    ///   - location: Where the volume lies.
    ///   - masterKey: As it was written down.
    public init(_ location: VolumeLocation, masterKey: GocryptfsMasterKey) {
        self.location = location
        self.masterKey = masterKey
    }

    /// Writes a configuration under a key.
    ///
    /// One that is there and can be read says how the volume is stored, and is kept with `.bak`
    /// after its name. Nothing is written unless the master key opens something of the storage.
    ///
    /// - Parameters:
    ///   - key: The new key as text.
    ///   - choices: How the volume was made, where no configuration says so any more.
    /// - Returns: Where the configuration is.
    /// - Throws: ``TransferError``.
    public func run(
        key: SecretBytes,
        choices: NewVolume.Gocryptfs
    ) throws(TransferError) -> String {
        let path =
            location.configuration ?? "\(location.storage)/\(GocryptfsNames.configurationName)"
        let file = VolumeConfigurationFile(path: path)
        let old = try stopping { () throws(VolumeError) in try file.contents() }
        let configuration: GocryptfsConfiguration
        do throws(VolumeFormatError) {
            if let old, let parsed = try? VolumeConfiguration.parse(old) {
                configuration = try parsed.rewrapped(
                    masterKey,
                    password: key,
                    scrypt: GocryptfsScrypt(exponent: choices.scryptExponent)
                )
            } else {
                configuration = try choices.configuration(masterKey, key: key)
            }
        } catch {
            throw .volume(.configurationInvalid(path: path, cause: error))
        }
        try check(configuration, at: path)
        try stopping { () throws(VolumeError) in
            if let old {
                try VolumeConfigurationFile(path: "\(path).bak").write(old, replacing: true)
            }
            try file.write(configuration.text, replacing: old != nil)
        }
        return path
    }

    /// Looks for one file whose content opens, or else for names that do.
    private func check(
        _ configuration: GocryptfsConfiguration,
        at path: String
    ) throws(TransferError) {
        let volume = try StoredVolume(location, .gocryptfs(configuration, masterKey), at: path)
        let tree = try StoredTree(of: volume)
        let files = tree.entries.filter { $0.kind == .file && ($0.contentSize ?? 0) > 0 }
        let isRight =
            files.isEmpty
            ? tree.foreign.isEmpty && tree.failures.isEmpty || !tree.entries.isEmpty
            : files.prefix(Self.attempts).contains { opens($0, of: volume) }
        guard isRight else { throw .wrongMasterKey(storage: location.storage) }
    }

    /// Some files may be damaged; a wrong key opens none.
    private static let attempts = 32

    private func opens(_ entry: TreeEntry, of volume: StoredVolume) -> Bool {
        struct Opened: Error {}
        do {
            try volume.read(entry.path) { _ in throw Opened() }
            return false
        } catch {
            return error is Opened
        }
    }
}
