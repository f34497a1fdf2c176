public import Cryptography

/// Why something of a volume cannot be read or made.
///
/// Cases carry operands, never names or contents that were decrypted.
public enum VolumeFormatError: Error, Equatable, Sendable {
    /// A file shorter than its header.
    ///
    /// - Parameter found: Length of the file in bytes: 1...31 of rclone's format, 1...17 of
    ///   gocryptfs's.
    case headerTruncated(found: UInt64)

    /// The file begins with something else than its format's header.
    case headerNotRecognized

    /// A last block that has a tag, a nonce, or less, and no content.
    ///
    /// - Parameter found: Length of that block in bytes.
    case blockTruncated(found: UInt64)

    /// A block that was not sealed at this place of this file with this key.
    ///
    /// - Parameter index: Zero-based.
    case blockDamaged(index: UInt64)

    /// The target of a symbolic link, or the value of an attribute, that was not sealed with this
    /// key.
    case valueDamaged

    /// A file `gocryptfs.diriv` that is not 16 bytes long, or all zeros.
    ///
    /// - Parameter found: Its length in bytes, as far as it was read.
    case directoryIVInvalid(found: Int)

    /// A size beyond what a file can have.
    case sizeOutOfRange(UInt64)

    /// A buffer whose length does not fit a block.
    case invalidBlockBuffer(found: Int)

    /// A name that cannot be encrypted, or is none of this volume's.
    case name(NameFault)

    /// Something about an rclone configuration.
    case configuration(ConfigurationFault)

    /// Something about a `gocryptfs.conf`.
    case gocryptfs(GocryptfsConfigurationFault)

    /// Wrong password for the configuration, or it was changed since it was written: the format
    /// does not tell these apart.
    case wrongPassword

    /// A password that rclone does not take either.
    case password(PasswordFault)

    /// A primitive failed.
    case cryptography(CryptographyError)
}

/// What is wrong with a name.
public enum NameFault: Error, Equatable, Sendable {
    /// Empty, `.` or `..`, or holds a slash or a NUL: no file can be called that.
    case notPermitted

    /// Longer than a directory entry can be.
    ///
    /// - Parameter found: Length in bytes as it would be stored.
    case tooLong(found: Int)

    /// Not in the volume's name encoding.
    case notEncoded

    /// Decodes to something that is no whole number of cipher blocks, or to none or too many.
    case notBlocks(found: Int)

    /// Deciphers to something without padding: made with another key, or no encrypted name.
    case notPadded

    /// Without the volume's suffix.
    case suffixMissing

    /// A long name in the file beside an entry that is not its.
    case notOfThisEntry

    /// An entry of a long name without the file that holds the name.
    case longNameMissing

    /// A file that holds a long name without the entry it belongs to.
    case withoutEntry

    /// Would be written in another way: two stored names must never mean the same.
    case notCanonical
}

/// What is wrong with a configuration.
public enum ConfigurationFault: Error, Equatable, Sendable {
    /// More bytes than a configuration may have.
    case tooLong(found: Int)

    /// Plain text, where an encrypted configuration is wanted.
    case notEncrypted

    /// Encrypted in a way that is newer than this program.
    case unknownEncryption

    /// The encrypted part is not base64, or too short to be what it says.
    case notDecodable

    /// A line that is neither section, comment nor `key = value`.
    ///
    /// - Parameter number: One-based, in the decrypted text.
    case line(number: Int)

    /// No remote of type `crypt`.
    case noVolume

    /// Several remotes of type `crypt`, none called `encrypted_storage`.
    case severalVolumes(names: [String])

    /// No remote of that name.
    case remoteMissing(name: String)

    /// The remote is of a type that cannot be used here.
    case remoteType(name: String, type: String)

    /// An option that must be there.
    case optionMissing(remote: String, option: String)

    /// An option whose value is not supported.
    case optionUnsupported(remote: String, option: String, value: String)

    /// A password that is not in rclone's obscured form.
    case passwordNotObscured(remote: String, option: String)

    /// A name, key or value that the file format cannot hold.
    case notRepresentable(option: String)
}

/// What is wrong with a password for a configuration.
public enum PasswordFault: Error, Equatable, Sendable {
    /// Nothing but white space.
    case empty

    /// Not UTF-8.
    case notText

    /// Text that rclone would rewrite by Unicode's form NFKC, which this program does not do.
    ///
    /// - Parameter position: One-based index of the first such character.
    case notNormalized(position: Int)
}
