internal import ArgumentParser
internal import VolumeFormat
internal import VolumeTransfer

/// `secure-store volume create`.
struct VolumeCreate: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create",
        abstract: "Makes a new, empty volume.",
        discussion: """
            Draws a random password of 1024 bits for the content, and stores it in a configuration \
            encrypted under the key. Nothing that is there is replaced.
            """
    )

    @Argument(help: "The directory for the encrypted files; empty, or not there yet.")
    var storage: String

    @OptionGroup var selection: VolumeSelection
    @OptionGroup var format: NewVolumeOptions

    @Flag(help: "Print one JSON object.")
    var json = false

    func run() throws {
        let volume = try selection.open(
            storage,
            .writing,
            .required(format.configuration()),
            confirming: true
        )
        let report = VolumeReport(volume, storage: storage, configuration: selection.config)
        try json
            ? Output.json(report) : Output.line("New volume in \(storage): \(selection.config)")
    }
}

/// How a new volume keeps names.
struct NewVolumeOptions: ParsableArguments {
    @Option(help: "How names are encrypted: standard, obfuscate, off.")
    var nameEncryption = NameEncryptionName.standard

    @Option(help: "How encrypted names are written: base32, base64, base32768.")
    var nameEncoding = NameEncodingName.base32

    @Flag(help: "Leave the names of directories as they are.")
    var plainDirectoryNames = false

    @Flag(help: "Draw a second password, instead of rclone's public salt.")
    var password2 = false

    /// A configuration for a new volume.
    func configuration() throws -> RcloneVolumeConfiguration {
        try Self.wording { () throws(VolumeFormatError) in
            try .new(
                nameEncryption: nameEncryption.value,
                nameEncoding: nameEncoding.value,
                directoryNames: !plainDirectoryNames,
                password2: password2
            )
        }
    }

    /// A configuration with rclone's defaults, as the original made it.
    static func usual() throws -> RcloneVolumeConfiguration {
        try wording { () throws(VolumeFormatError) in try .new() }
    }

    private static func wording(
        _ body: () throws(VolumeFormatError) -> RcloneVolumeConfiguration
    ) throws -> RcloneVolumeConfiguration {
        do throws(VolumeFormatError) {
            return try body()
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
