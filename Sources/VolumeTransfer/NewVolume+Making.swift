internal import CryptFS
internal import Cryptography
internal import Linux
internal import VolumeFormat

extension NewVolume {
    /// Makes the volume in an empty storage; its configuration last, which makes it one.
    func make(
        in root: borrowing OwnedDescriptor,
        _ file: VolumeConfigurationFile,
        key: SecretBytes
    ) throws(TransferError) -> VolumeConfiguration {
        switch self {
        case .rclone(let configuration):
            try stopping { () throws(VolumeError) in
                try file.write(configuration.configuration, key: key)
            }
            return .rclone(configuration)
        case .gocryptfs(let choices):
            let masterKey = GocryptfsMasterKey.random()
            let configuration: GocryptfsConfiguration
            do throws(VolumeFormatError) {
                configuration = try choices.configuration(masterKey, key: key)
            } catch {
                throw .volume(.configurationInvalid(path: file.path, cause: error))
            }
            if choices.names.hasDirectoryIVs {
                do throws(TransferFault) {
                    try StoredDirectory.makeIV(in: root.rawValue, replacing: true)
                } catch {
                    throw .file(path: file.path, error)
                }
            }
            try stopping { () throws(VolumeError) in try file.write(configuration.text) }
            return .gocryptfs(configuration, masterKey)
        }
    }
}

extension NewVolume.Gocryptfs {
    /// The configuration of a volume with this master key.
    func configuration(
        _ masterKey: GocryptfsMasterKey,
        key: SecretBytes
    ) throws(VolumeFormatError) -> GocryptfsConfiguration {
        try GocryptfsConfiguration.new(
            masterKey: masterKey,
            password: key,
            cipher: cipher,
            names: names,
            scrypt: GocryptfsScrypt(exponent: scryptExponent),
            creator: NewVolume.creator
        )
    }
}
