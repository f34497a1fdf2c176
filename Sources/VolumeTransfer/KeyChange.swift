public import CryptFS
public import Cryptography
internal import Linux
public import VolumeFormat

/// What is done with a volume's configuration alone: its content is not touched.
public struct KeyChange: Sendable {
    private let location: VolumeLocation

    /// - Parameter location: Where the volume lies; its configuration is looked for as
    ///   ``StoredVolume`` does.
    public init(_ location: VolumeLocation) {
        self.location = location
    }

    /// Gives a volume another key; whoever has it open keeps it open.
    ///
    /// The configuration is replaced whole or not at all. The old one is gone: a copy of it would
    /// still open the volume with the old key.
    ///
    /// - Parameters:
    ///   - old: The key as text.
    ///   - new: The new one.
    ///   - scryptExponent: What an attempt at the new one costs; of gocryptfs's format only.
    /// - Returns: Where the configuration is.
    /// - Throws: ``TransferError``.
    public func change(
        from old: SecretBytes,
        to new: SecretBytes,
        scryptExponent: Int
    ) throws(TransferError) -> String {
        let (file, configuration) = try open(old)
        try stopping { () throws(VolumeError) in
            let bytes: [UInt8]
            do throws(VolumeFormatError) {
                bytes = try configuration.sealed(under: new, scryptExponent: scryptExponent)
            } catch {
                throw .configurationInvalid(path: file.path, cause: error)
            }
            try file.write(bytes, replacing: true)
        }
        return file.path
    }

    /// The master key of a volume of gocryptfs's format.
    ///
    /// - Parameter key: The key as text.
    /// - Returns: The master key.
    /// - Throws: ``TransferError``, with ``TransferError/noMasterKey(path:)`` for rclone's format.
    public func masterKey(_ key: SecretBytes) throws(TransferError) -> GocryptfsMasterKey {
        let (file, configuration) = try open(key)
        guard case .gocryptfs(_, let masterKey) = configuration else {
            throw .noMasterKey(path: file.path)
        }
        return masterKey
    }

    private func open(
        _ key: SecretBytes
    ) throws(TransferError) -> (VolumeConfigurationFile, VolumeConfiguration) {
        try stopping { () throws(VolumeError) in
            let file = try VolumeConfiguration.find(location, for: nil)
            guard let configuration = try VolumeConfiguration(reading: file, key: key) else {
                throw .configurationMissing(
                    path: file.path,
                    storage: location.storage,
                    storageHasContent: try StorageDirectoryFile.hasContent(location.storage)
                )
            }
            return (file, configuration)
        }
    }
}
