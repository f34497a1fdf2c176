internal import Cryptography

extension VolumeFormatError: CustomStringConvertible {
    /// One line for a person; never holds a key or decrypted data.
    public var description: String {
        switch self {
        case .headerTruncated(let found):
            "the file is \(found) bytes long, shorter than an encrypted file's header"
        case .headerNotRecognized:
            "not an encrypted file: it does not begin as one"
        case .blockTruncated(let found):
            "the last block is \(found) bytes long, a part of its nonce or tag and no content: "
                + "the file was cut off"
        case .blockDamaged(let index):
            "block \(index) does not authenticate: changed since it was encrypted, or another key"
        case .valueDamaged:
            "does not authenticate: changed since it was encrypted, or another key"
        case .directoryIVInvalid(let found) where found == GocryptfsDirectoryIV.count:
            "gocryptfs.diriv holds nothing but zeros: it was never written to the disk"
        case .directoryIVInvalid(let found):
            "gocryptfs.diriv is \(found) bytes long and not 16: the names in its directory are lost"
        case .sizeOutOfRange(let size):
            "no file can be \(size) bytes long"
        case .invalidBlockBuffer(let found):
            "a buffer of \(found) bytes does not fit a block"
        case .name(let fault): fault.description
        case .configuration(let fault): fault.description
        case .gocryptfs(let fault): fault.description
        case .wrongPassword:
            "the configuration does not decrypt: wrong key, or changed since it was written"
        case .password(let fault): fault.description
        case .cryptography(let error): error.description
        }
    }
}

extension NameFault: CustomStringConvertible {
    /// One line for a person.
    public var description: String {
        switch self {
        case .notPermitted:
            "a name cannot be empty, . or .., nor hold a slash or a NUL"
        case .tooLong(let found):
            "the name takes \(found) bytes encrypted, and a directory entry at most 255"
        case .notEncoded:
            "not in the volume's name encoding"
        case .notBlocks(let found):
            "\(found) bytes are no encrypted name: it has 16, 32, … 2048"
        case .notPadded:
            "does not decrypt: another key, or no encrypted name"
        case .suffixMissing:
            "without the volume's suffix"
        case .notOfThisEntry:
            "the file with the long name holds the name of another entry"
        case .longNameMissing:
            "the file with its long name is missing or cannot be read"
        case .withoutEntry:
            "a long name without the file or directory it belongs to"
        case .notCanonical:
            "decrypts, but the same name would be stored in another way"
        }
    }
}

extension ConfigurationFault: CustomStringConvertible {
    /// One line for a person.
    public var description: String {
        switch self {
        case .tooLong(let found):
            "a configuration of \(found) bytes is longer than the "
                + "\(RcloneConfiguration.maximumCount) it may have"
        case .notEncrypted:
            "the configuration is not encrypted: no line says RCLONE_ENCRYPT_V0:"
        case .unknownEncryption:
            "the configuration is encrypted in a way other than RCLONE_ENCRYPT_V0"
        case .notDecodable:
            "the configuration's encrypted part is not whole base64: the file is damaged"
        case .line(let number):
            "line \(number) of the configuration is neither [section] nor key = value"
        case .noVolume:
            "the configuration has no remote of type crypt"
        case .severalVolumes(let names):
            "the configuration has several remotes of type crypt (\(names.joined(separator: ", "))) "
                + "and none is called \(RcloneVolumeConfiguration.originalName)"
        case .remoteMissing(let name):
            "the configuration has no remote called \(name)"
        case .remoteType(let name, let type):
            "remote \(name) is of type \(type), which cannot be used here"
        case .optionMissing(let remote, let option):
            "remote \(remote) has no \(option)"
        case .optionUnsupported(let remote, let option, let value):
            "remote \(remote) has \(option) = \(value), which is not supported"
        case .passwordNotObscured(let remote, let option):
            "\(option) of remote \(remote) is not in rclone's obscured form"
        case .notRepresentable(let option):
            "\(option) holds a character that a configuration cannot"
        }
    }
}

extension PasswordFault: CustomStringConvertible {
    /// One line for a person.
    public var description: String {
        switch self {
        case .empty:
            "the password is empty"
        case .notText:
            "the password is not UTF-8 text, which rclone requires"
        case .notNormalized(let position):
            "character \(position) of the password is one that rclone replaces (Unicode form NFKC) "
                + "before it derives the key: enter the password in that form"
        }
    }
}
