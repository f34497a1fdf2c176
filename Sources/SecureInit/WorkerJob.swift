internal import CryptFS
internal import Cryptography

/// What the worker needs to know, as it crosses to its process over an inherited descriptor.
///
/// All numbers big-endian:
///
///     "SSWJ" ‖ version (1 byte: 1) ‖ flags (1) ‖ user (4) ‖ group (4) ‖ length (4) ‖ storage ‖
///     length (4) ‖ configuration ‖ for each key: length (4) ‖ key
///
/// Flag 1: read-only. Flag 2: an empty storage becomes a new volume. Flag 4: which belongs to this
/// user and group; they are 0 without it. Flag 8: in rclone's format. Flag 16: the key is a generated
/// one. Flag 32: others change the storage meanwhile. A configuration of length 0 is to be looked for.
struct WorkerJob {
    let location: VolumeLocation
    let options: VolumeOptions
    /// Who a new volume belongs to; nil for root.
    let owner: Owner?
    /// The key as served, then its older generations, the latest first.
    let keys: [SecretBytes]

    /// A user and a group.
    struct Owner {
        let user: UInt32
        let group: UInt32
    }

    /// Longest encoding: two paths, and as many keys as the fetcher's bundle holds.
    static let maximumEncodedCount = 81_920

    private static let magic = Array("SSWJ\u{1}".utf8)

    /// The job as it crosses a pipe; secret, since it holds the key.
    func encoded() -> SecretBytes {
        let flags: UInt8 =
            (options.isReadOnly ? 1 : 0) | (options.createsIfEmpty ? 2 : 0)
            | (owner == nil ? 0 : 4) | (options.format == .rclone ? 8 : 0)
            | (options.keyIsGenerated ? 16 : 0) | (options.isShared ? 32 : 0)
        let ids = Self.bigEndian(owner?.user ?? 0) + Self.bigEndian(owner?.group ?? 0)
        let paths = [location.storage, location.configuration ?? ""].flatMap { path in
            Self.bigEndian(UInt32(truncatingIfNeeded: path.utf8.count)) + Array(path.utf8)
        }
        return SecretBytes.concatenating(
            [SecretBytes(copying: Self.magic + [flags] + ids + paths)]
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
        let parts = encoded.withUnsafeBytes { bytes -> (UInt8, Owner, String, String, Int)? in
            let start = Self.magic.count
            guard bytes.starts(with: Self.magic), bytes.count > start else { return nil }
            var rest = bytes[(start + 1)...]
            guard let user = Self.takeNumber(&rest), let group = Self.takeNumber(&rest),
                let storage = Self.takeText(&rest), let configuration = Self.takeText(&rest)
            else { return nil }
            let owner = Owner(user: user, group: group)
            return (bytes[start], owner, storage, configuration, rest.startIndex)
        }
        guard let (flags, owner, storage, configuration, keyStart) = parts else { return nil }
        self.owner = flags & 4 != 0 ? owner : nil
        location = VolumeLocation(
            storage: storage,
            configuration: configuration.isEmpty ? nil : configuration
        )
        options = VolumeOptions(
            isReadOnly: flags & 1 != 0,
            isShared: flags & 32 != 0,
            createsIfEmpty: flags & 2 != 0,
            format: flags & 8 != 0 ? .rclone : .gocryptfs,
            keyIsGenerated: flags & 16 != 0
        )
        var keys: [SecretBytes] = []
        var rest = keyStart..<encoded.count
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
        keys: [SecretBytes]
    ) {
        self.owner = owner
        self.location = location
        self.options = options
        self.keys = keys
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
