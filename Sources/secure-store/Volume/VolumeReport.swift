internal import CryptFS
internal import Cryptography
internal import VolumeFormat
internal import VolumeTransfer

/// What is to be said of a volume, and nothing secret.
struct VolumeReport: Encodable {
    private let format: String
    private let storage: String
    private let configuration: String
    private let details: [Detail]
    private let writer: String?

    private struct Detail {
        let key: Key
        let label: String
        let value: String
    }

    /// Collects it.
    ///
    /// - Parameters:
    ///   - volume: Open.
    ///   - storage: Its path, as it was given.
    ///   - writer: Who writes to the storage; nil to leave that out.
    init(_ volume: StoredVolume, storage: String, writer: WriterLock.Holder? = nil) {
        self.writer = writer?.description
        self.storage = storage
        configuration = volume.configurationPath
        switch volume.format {
        case .rclone(let options):
            format = "rclone crypt v1"
            details = Self.details(options)
        case .gocryptfs(let options):
            format = "gocryptfs v2"
            details = Self.details(options)
        }
    }

    private static func details(_ options: RcloneVolumeConfiguration) -> [Detail] {
        [
            Detail(key: "remote", label: "remote", value: options.remoteName),
            Detail(
                key: "name_encryption",
                label: "file names",
                value: options.nameEncryption.rawValue
            ),
            Detail(
                key: "name_encoding",
                label: "name encoding",
                value: options.nameEncoding.rawValue
            ),
            Detail(
                key: "directory_names",
                label: "directory names",
                value: options.encryptsDirectoryNames ? "encrypted" : "plain"
            ),
            Detail(
                key: "salt",
                label: "salt",
                value: options.password2 == nil ? "public" : "secret"
            ),
        ]
    }

    private static func details(_ options: GocryptfsConfiguration) -> [Detail] {
        var names = "plain"
        if case .encrypted(let scheme) = options.nameScheme {
            names = scheme.hasDirectoryIVs ? "encrypted" : "encrypted, deterministic"
            names += scheme.longNameMax.map { ", at most \($0) bytes stored" } ?? ", never long"
        }
        let cost = options.scrypt.cost
        return [
            Detail(key: "cipher", label: "cipher", value: options.cipher.rawValue),
            Detail(key: "names", label: "names", value: names),
            Detail(
                key: "features",
                label: "features",
                value: options.features.map(\.rawValue).joined(separator: " ")
            ),
            Detail(
                key: "scrypt",
                label: "scrypt",
                value: "N=2^\(cost.n.trailingZeroBitCount) r=\(cost.r) p=\(cost.p)"
            ),
            Detail(key: "creator", label: "made by", value: ShownPath.text(options.creator)),
        ]
    }

    /// One line each.
    var lines: [(name: String, value: String)] {
        [("format", format), ("storage", storage), ("configuration", configuration)]
            + details.map { ($0.label, $0.value) } + (writer.map { [("writer", $0)] } ?? [])
    }

    func encode(to encoder: any Encoder) throws {
        var object = encoder.container(keyedBy: Key.self)
        try object.encode(format, forKey: "format")
        try object.encode(storage, forKey: "storage")
        try object.encode(configuration, forKey: "configuration")
        for detail in details { try object.encode(detail.value, forKey: detail.key) }
        try object.encodeIfPresent(writer, forKey: "writer")
    }

    private struct Key: CodingKey, ExpressibleByStringLiteral {
        let stringValue: String
        var intValue: Int? { nil }

        init(stringLiteral value: String) { stringValue = value }
        init?(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }
}
