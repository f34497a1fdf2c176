public import JSONText

/// What is wrong with a `gocryptfs.conf`.
public enum GocryptfsConfigurationFault: Error, Equatable, Sendable {
    /// Not JSON, or a member that is missing or of another type.
    case json(JSONError)

    /// A member that gocryptfs 2.3 does not write.
    case memberUnknown(name: String)

    /// A version of the format other than 2.
    case version(found: Int)

    /// A feature flag that is not known: the volume may be stored in a way that is not either.
    case featureUnknown(name: String)

    /// A flag twice.
    case featureTwice(GocryptfsFeature)

    /// The key is held by a security key.
    case fido2

    /// Two flags that contradict each other.
    case featuresContradict(GocryptfsFeature, GocryptfsFeature)

    /// A flag that another needs, or every volume.
    case featureMissing(GocryptfsFeature)

    /// `LongNameMax` that is out of range, or there without its flag, or the reverse.
    case longNameMax(found: Int?)

    /// Costs of scrypt that are too low to protect, too high to bear, or none.
    case scrypt

    /// A wrapped key that is not base64, or not as long as one.
    case encryptedKey
}

extension GocryptfsConfigurationFault: CustomStringConvertible {
    /// One line for a person.
    public var description: String {
        switch self {
        case .json(let error):
            "not a gocryptfs.conf: \(error)"
        case .memberUnknown(let name):
            "the configuration has a member '\(name)', which gocryptfs 2.3 does not know"
        case .version(let found):
            "the configuration says format \(found); only format 2 (gocryptfs 0.4 and later) is read"
        case .featureUnknown(let name):
            "the volume uses feature '\(name)', which is not supported"
        case .featureTwice(let feature):
            "the configuration lists feature \(feature.rawValue) twice"
        case .fido2:
            "the volume is opened with a security key (feature FIDO2), which is not supported: give "
                + "it a password with gocryptfs first"
        case .featuresContradict(let first, let second):
            "the configuration has features \(first.rawValue) and \(second.rawValue), which "
                + "contradict each other"
        case .featureMissing(let feature):
            "the configuration lacks feature \(feature.rawValue), without which no volume of this kind is made"
        case .longNameMax(let found?):
            "LongNameMax is \(found): it must be 62 to 254, and the feature of that name be set"
        case .longNameMax(nil):
            "the configuration has feature LongNameMax, but does not say how long"
        case .scrypt:
            "the configuration's scrypt parameters are out of range: N 2^10 to 2^20, R from 8, P from "
                + "1, at most 1 GiB of memory, a salt of 32 bytes or more, KeyLen 32"
        case .encryptedKey:
            "the configuration's EncryptedKey is not a wrapped key: the file is damaged"
        }
    }
}
