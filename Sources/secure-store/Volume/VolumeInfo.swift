internal import ArgumentParser
internal import VolumeFormat
internal import VolumeTransfer

/// `secure-store volume info`.
struct VolumeInfo: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "info",
        abstract: "Says how a volume is made; shows no secret."
    )

    @Argument(help: "The directory with the encrypted files.")
    var storage: String

    @OptionGroup var selection: VolumeSelection

    @Flag(help: "Print one JSON object.")
    var json = false

    func run() throws {
        let volume = try selection.open(storage, .reading)
        let report = VolumeReport(volume, storage: storage, configuration: selection.config)
        guard !json else { return try Output.json(report) }
        for (name, value) in report.lines {
            let padding = String(repeating: " ", count: 17 - name.count)
            try Output.line("\(name)\(padding)\(value)")
        }
    }
}

/// What is to be said of a volume.
struct VolumeReport: Encodable {
    var format: String
    var storage: String
    var configuration: String
    var remote: String
    var nameEncryption: String
    var nameEncoding: String
    var directoryNames: String
    var salt: String

    /// Collects it.
    init(_ volume: StoredVolume, storage: String, configuration: String) {
        let options = volume.configuration
        format = "rclone crypt v1"
        self.storage = storage
        self.configuration = configuration
        remote = options.remoteName
        nameEncryption = options.nameEncryption.rawValue
        nameEncoding = options.nameEncoding.rawValue
        directoryNames = options.encryptsDirectoryNames ? "encrypted" : "plain"
        salt = options.password2 == nil ? "public" : "secret"
    }

    /// One line each.
    var lines: [(name: String, value: String)] {
        [
            ("format", format), ("storage", storage), ("configuration", configuration),
            ("remote", remote), ("file names", "\(nameEncryption), \(nameEncoding)"),
            ("directory names", directoryNames), ("salt", salt),
        ]
    }

    private enum CodingKeys: String, CodingKey {
        case format, storage, configuration, remote, salt
        case nameEncryption = "name_encryption"
        case nameEncoding = "name_encoding"
        case directoryNames = "directory_names"
    }
}
