/// How a gocryptfs volume stores names.
public enum GocryptfsNameScheme: Equatable, Sendable {
    /// As they are (`PlaintextNames`); symbolic links and long names are nothing special either.
    case plaintext

    /// Encrypted (`EMENames`).
    case encrypted(Encrypted)

    /// What may differ between volumes with encrypted names.
    public struct Encrypted: Equatable, Sendable {
        /// Whether every directory has random bytes of its own (`DirIV`), so that equal names in
        /// two directories look different; deterministic names otherwise.
        public var hasDirectoryIVs: Bool

        /// The longest stored name, in bytes, 62...255; nil where long names are refused.
        ///
        /// Longer ones are replaced by their hash, and kept in a file beside (`LongNames`,
        /// `LongNameMax`).
        public var longNameMax: Int?

        /// Whether base64 is padded: without `Raw64`.
        public var isPadded: Bool

        /// Puts the choices together; the defaults are gocryptfs's.
        public init(
            hasDirectoryIVs: Bool = true,
            longNameMax: Int? = GocryptfsNames.maximumEntryCount,
            isPadded: Bool = false
        ) {
            self.hasDirectoryIVs = hasDirectoryIVs
            self.longNameMax = longNameMax
            self.isPadded = isPadded
        }
    }

    /// Whether directories have a file `gocryptfs.diriv`.
    public var hasDirectoryIVs: Bool {
        if case .encrypted(let scheme) = self { return scheme.hasDirectoryIVs }
        return false
    }
}
