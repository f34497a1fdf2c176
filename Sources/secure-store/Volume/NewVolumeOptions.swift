internal import ArgumentParser
internal import CryptFS
internal import Cryptography
internal import KeyProtocol
internal import VolumeFormat
internal import VolumeTransfer

/// What a new volume is to be like.
struct NewVolumeOptions: ParsableArguments {
    @Option(help: "Whose format: gocryptfs, or rclone.")
    var format = VolumeFormatName.usual

    @OptionGroup(title: "Of gocryptfs's format") var gocryptfs: GocryptfsOptions

    @OptionGroup(title: "Of rclone's format") var rclone: RcloneOptions

    func validate() throws {
        switch format {
        case .gocryptfs where rclone.isGiven:
            throw ValidationError("--name-encryption and its like are of --format rclone")
        case .rclone where gocryptfs.isGiven:
            throw ValidationError("--cipher and its like are of --format gocryptfs")
        default: break
        }
    }

    /// What it is to be like under this key.
    func volume(for key: StoreKey) throws -> NewVolume {
        switch format {
        case .gocryptfs: .gocryptfs(try gocryptfs.choices(for: key))
        case .rclone: .rclone(try rclone.configuration())
        }
    }
}

/// The formats, by name.
enum VolumeFormatName: String, ExpressibleByArgument, CaseIterable {
    case gocryptfs, rclone

    /// What a new volume has unless somebody says otherwise.
    static let usual = gocryptfs

    /// A new volume of which nothing else is said.
    func volume(for key: StoreKey) throws -> NewVolume {
        let kind: VolumeKind =
            switch self {
            case .gocryptfs: .gocryptfs
            case .rclone: .rclone
            }
        do throws(VolumeFormatError) {
            return try .usual(kind, keyIsGenerated: key.generated != nil)
        } catch {
            throw CommandFailure(error)
        }
    }
}

/// How a new volume of gocryptfs's format is made.
struct GocryptfsOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "What seals the content: aes-gcm, xchacha20-poly1305, aes-siv. By default aes-gcm where "
                + "the processor has instructions for it, else xchacha20-poly1305.",
            valueName: "name"
        )
    )
    var cipher: CipherName?

    @Flag(help: "Store names as they are.")
    var plaintextNames = false

    @Flag(help: "Store equal names alike in every directory.")
    var deterministicNames = false

    @Option(
        name: .customLong("longnamemax"),
        help: ArgumentHelp("Longest stored name, 62 to 255 bytes.", valueName: "bytes")
    )
    var longNameMax: Int?

    @Option(
        help: ArgumentHelp(
            "What an attempt at the key costs: scrypt's N as a power of two, 16 to 20, from 10 for "
                + "a generated key. By default 16, and 10 for a generated key.",
            valueName: "n"
        )
    )
    var scryptCost: Int?

    var isGiven: Bool {
        cipher != nil || plaintextNames || deterministicNames || longNameMax != nil
            || scryptCost != nil
    }

    func validate() throws {
        if plaintextNames, deterministicNames || longNameMax != nil {
            throw ValidationError("--plaintext-names leaves nothing to say of encrypted names")
        }
        if let longNameMax, !(62...255).contains(longNameMax) {
            throw ValidationError("--longnamemax must be 62 to 255")
        }
        if let scryptCost, !GocryptfsScrypt.exponents.contains(scryptCost) {
            throw ValidationError("--scrypt-cost must be 10 to 20")
        }
    }

    /// The choices for a volume with this key.
    ///
    /// - Throws: ``CommandFailure`` for a cost that would leave a password unprotected.
    func choices(for key: StoreKey) throws -> NewVolume.Gocryptfs {
        let names: GocryptfsNameScheme =
            plaintextNames
            ? .plaintext
            : .encrypted(
                GocryptfsNameScheme.Encrypted(
                    hasDirectoryIVs: !deterministicNames,
                    longNameMax: longNameMax ?? GocryptfsNames.maximumEntryCount
                )
            )
        var choices = NewVolume.Gocryptfs(
            names: names,
            scryptExponent: try Self.scryptExponent(scryptCost, for: key)
        )
        if let cipher { choices.cipher = cipher.value }
        return choices
    }

    /// What an attempt at a key is to cost.
    static func scryptExponent(_ wanted: Int?, for key: StoreKey) throws -> Int {
        let isGenerated = key.generated != nil
        let exponent = wanted ?? GocryptfsScrypt.usualExponent(forGeneratedKey: isGenerated)
        guard isGenerated || exponent >= GocryptfsScrypt.defaultExponent else {
            throw CommandFailure(
                .usage,
                "--scrypt-cost below \(GocryptfsScrypt.defaultExponent) is for generated keys only: "
                    + "a password could be guessed"
            )
        }
        return exponent
    }
}

/// The ciphers, by name.
enum CipherName: String, ExpressibleByArgument, CaseIterable {
    case aesGCM = "aes-gcm"
    case xchacha20Poly1305 = "xchacha20-poly1305"
    case aesSIV = "aes-siv"

    var value: GocryptfsCipher {
        switch self {
        case .aesGCM: .aesGCM
        case .xchacha20Poly1305: .xchacha20Poly1305
        case .aesSIV: .aesSIV
        }
    }
}

/// How a new volume of rclone's format keeps names.
struct RcloneOptions: ParsableArguments {
    @Option(help: "How names are encrypted: standard, obfuscate, off.")
    var nameEncryption: NameEncryptionName?

    @Option(help: "How encrypted names are written: base32, base64, base32768.")
    var nameEncoding: NameEncodingName?

    @Flag(help: "Leave the names of directories as they are.")
    var plainDirectoryNames = false

    @Flag(help: "Draw a second password, instead of rclone's public salt.")
    var password2 = false

    var isGiven: Bool {
        nameEncryption != nil || nameEncoding != nil || plainDirectoryNames || password2
    }

    /// A configuration for a new volume; by default with rclone's defaults, as the original made it.
    func configuration() throws -> RcloneVolumeConfiguration {
        do throws(VolumeFormatError) {
            return try .new(
                nameEncryption: nameEncryption?.value ?? .standard,
                nameEncoding: nameEncoding?.value ?? .base32,
                directoryNames: !plainDirectoryNames,
                password2: password2
            )
        } catch {
            throw CommandFailure(error)
        }
    }
}

/// The ways to encrypt names, by name.
enum NameEncryptionName: String, ExpressibleByArgument, CaseIterable {
    case standard, obfuscate, off

    var value: NameEncryption {
        switch self {
        case .standard: .standard
        case .obfuscate: .obfuscate
        case .off: .off
        }
    }
}

/// The ways to write encrypted names, by name.
enum NameEncodingName: String, ExpressibleByArgument, CaseIterable {
    case base32, base64, base32768

    var value: NameEncoding {
        switch self {
        case .base32: .base32
        case .base64: .base64
        case .base32768: .base32768
        }
    }
}
