internal import CryptFS
internal import Cryptography

/// What the worker needs to know, as it crosses to its process over an inherited descriptor.
///
/// All numbers big-endian:
///
///     "SSWJ" ‖ version (1 byte: 2) ‖ flags (1) ‖ view (1) ‖ user (4) ‖ group (4) ‖ length (4) ‖ storage ‖
///     length (4) ‖ configuration ‖ length (4) ‖ view's directory ‖ for each key: length (4) ‖ key
///
/// Flag 1: read-only. Flag 2: an empty storage becomes a new volume. Flag 4: which belongs to this
/// user and group; they are 0 without it. Flag 8: in rclone's format. Flag 16: the key is a generated
/// one. Flag 32: others change the storage meanwhile. Flag 64: with a journal. A configuration of length 0 is to be
/// looked for.
struct WorkerJob {
    let location: VolumeLocation
    let options: VolumeOptions
    /// Who a new volume belongs to; nil for root.
    let owner: Owner?
    /// How it is to be shown.
    let view: View
    /// Where, unless it is mounted.
    let viewPath: String
    /// The key as served, then its older generations, the latest first; one of no bytes to wipe.
    let keys: [SecretBytes]

    /// How a volume is shown.
    enum View: UInt8 {
        /// Mounted, and served through the device.
        case mounted = 0
        /// Decrypted into a directory in memory.
        case memory = 1
        /// The same, and changes are encrypted again.
        case memoryWrittenBack = 2
        /// Not any more: what a process that was killed left in that directory is wiped.
        case wiped = 3
    }

    /// A user and a group.
    struct Owner {
        let user: UInt32
        let group: UInt32
    }

    /// Longest encoding: three paths, and as many keys as the fetcher's bundle holds.
    static let maximumEncodedCount = 86_016

    private static let magic = Array("SSWJ\u{2}".utf8)

    /// The job as it crosses a pipe; secret, since it holds the key.
    func encoded() -> SecretBytes {
        let flags: UInt8 =
            (options.isReadOnly ? 1 : 0) | (options.createsIfEmpty ? 2 : 0)
            | (owner == nil ? 0 : 4) | (options.format == .rclone ? 8 : 0)
            | (options.keyIsGenerated ? 16 : 0) | (options.isShared ? 32 : 0)
            | (options.keepsJournal ? 64 : 0)
        let ids = Self.bigEndian(owner?.user ?? 0) + Self.bigEndian(owner?.group ?? 0)
        let paths = [location.storage, location.configuration ?? "", viewPath].flatMap { path in
            Self.bigEndian(UInt32(truncatingIfNeeded: path.utf8.count)) + Array(path.utf8)
        }
        return SecretBytes.concatenating(
            [SecretBytes(copying: Self.magic + [flags, view.rawValue] + ids + paths)]
                + keys.flatMap { key in
                    [
                        SecretBytes(
                            copying: Self.bigEndian(UInt32(truncatingIfNeeded: key.count))
                        ), key,
                    ]
                }
        )
    }

    /// Reads what ``encoded()`` wrote; nil for anything else.
    init?(decoding encoded: SecretBytes) {
        let parts = encoded.withUnsafeBytes { bytes -> Parts? in
            let start = Self.magic.count
            guard bytes.starts(with: Self.magic), bytes.count > start + 1,
                let view = View(rawValue: bytes[start + 1])
            else { return nil }
            var rest = bytes[(start + 2)...]
            guard let user = Self.takeNumber(&rest), let group = Self.takeNumber(&rest),
                let storage = Self.takeText(&rest), let configuration = Self.takeText(&rest),
                let viewPath = Self.takeText(&rest)
            else { return nil }
            return Parts(
                flags: bytes[start],
                view: view,
                owner: Owner(user: user, group: group),
                storage: storage,
                configuration: configuration,
                viewPath: viewPath,
                keyStart: rest.startIndex
            )
        }
        guard let parts else { return nil }
        let flags = parts.flags
        owner = flags & 4 != 0 ? parts.owner : nil
        view = parts.view
        viewPath = parts.viewPath
        location = VolumeLocation(
            storage: parts.storage,
            configuration: parts.configuration.isEmpty ? nil : parts.configuration
        )
        options = VolumeOptions(
            isReadOnly: flags & 1 != 0,
            isShared: flags & 32 != 0,
            keepsJournal: flags & 64 != 0,
            createsIfEmpty: flags & 2 != 0,
            format: flags & 8 != 0 ? .rclone : .gocryptfs,
            keyIsGenerated: flags & 16 != 0
        )
        var keys: [SecretBytes] = []
        var rest = parts.keyStart..<encoded.count
        while !rest.isEmpty {
            let count = encoded.withUnsafeBytes { bytes in
                var header = bytes[rest]
                return Self.takeNumber(&header).map { Int($0) }
            }
            guard let count, rest.count - 4 >= count else { return nil }
            let end = rest.lowerBound + 4 + count
            keys.append(encoded.slice(rest.lowerBound + 4..<end))
            rest = end..<encoded.count
        }
        guard !keys.isEmpty else { return nil }
        self.keys = keys
    }

    init(
        location: VolumeLocation,
        options: VolumeOptions,
        owner: Owner?,
        view: View = .mounted,
        viewPath: String = "",
        keys: [SecretBytes]
    ) {
        self.owner = owner
        self.view = view
        self.viewPath = viewPath
        self.location = location
        self.options = options
        self.keys = keys
    }

    /// What is before the key.
    private struct Parts {
        let flags: UInt8
        let view: View
        let owner: Owner
        let storage: String
        let configuration: String
        let viewPath: String
        let keyStart: Int
    }

    private static func bigEndian(_ number: UInt32) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: number >> $0) }
    }

    private static func takeNumber(_ rest: inout Slice<UnsafeRawBufferPointer>) -> UInt32? {
        guard rest.count >= 4 else { return nil }
        defer { rest = rest.dropFirst(4) }
        return rest.prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
    }

    private static func takeText(_ rest: inout Slice<UnsafeRawBufferPointer>) -> String? {
        guard let count = takeNumber(&rest).map({ Int($0) }), rest.count >= count else {
            return nil
        }
        defer { rest = rest.dropFirst(count) }
        return String(validating: rest.prefix(count), as: UTF8.self)
    }
}
