internal import CryptFS
public import VolumeFormat

/// What a new volume is to be like.
public enum NewVolume: Sendable {
    /// Of rclone's format, with this configuration.
    case rclone(RcloneVolumeConfiguration)

    /// Of gocryptfs's format, made as this says.
    case gocryptfs(Gocryptfs)

    /// What may differ between new volumes of gocryptfs's format.
    public struct Gocryptfs: Sendable {
        /// What is to seal the content.
        public var cipher: GocryptfsCipher

        /// How names are to be stored.
        public var names: GocryptfsNameScheme

        /// Exponent of scrypt's cost N, within ``GocryptfsScrypt/exponents``.
        public var scryptExponent: Int

        /// Puts the choices together.
        public init(cipher: GocryptfsCipher, names: GocryptfsNameScheme, scryptExponent: Int) {
            self.cipher = cipher
            self.names = names
            self.scryptExponent = scryptExponent
        }
    }

    /// Whose format it is to have.
    var kind: VolumeKind {
        switch self {
        case .rclone: .rclone
        case .gocryptfs: .gocryptfs
        }
    }

    /// What made the volumes that are made here, for people.
    static let creator = "secure-store"
}
