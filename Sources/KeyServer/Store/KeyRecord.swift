/// A generation of a key, as the store holds it.
public struct GenerationRecord: Equatable, Sendable {
    /// The key's name.
    public var key: String

    /// Counts from 1; the highest that is not retired is the newest.
    public var number: Int

    /// The key's id; `password` for one that has none.
    public var identifier: String

    /// The key itself, sealed; see ``KeyVault``.
    public var sealed: [UInt8]

    /// When it was made.
    public var createdAt: Timestamp

    /// Since when it is not given out.
    public var retiredAt: Timestamp?

    /// When a device last got it.
    public var usedAt: Timestamp?
}

/// A device that was given a generation when it was last given the key.
public struct GenerationHolder: Equatable, Sendable {
    /// The device's name.
    public let device: String

    /// When that was.
    public let since: Timestamp
}

/// A key, its generations, the latest first, and who may have it.
public struct KeyListing: Equatable, Sendable {
    /// Its name.
    public let name: String

    /// Those there are, the latest first.
    public let generations: [GenerationRecord]

    /// Which devices hold a generation, by its number; the first ``holderLimit`` of each.
    public let holders: [Int: [GenerationHolder]]

    /// Who may have it.
    public let grants: [GrantSubject]

    /// How many devices are listed of each generation.
    public static let holderLimit = 1000
}

/// Who a grant is for.
public enum GrantSubject: Hashable, Sendable {
    /// Every device of the store.
    case everyDevice

    /// The device of that name.
    case device(String)

    /// Every device with that tag.
    case tag(String)

    /// Every device of that fleet.
    case fleet(String)

    /// How the store tells the kinds apart.
    var kind: String {
        switch self {
        case .everyDevice: "all"
        case .device: "device"
        case .tag: "tag"
        case .fleet: "fleet"
        }
    }

    /// What of that kind.
    var name: String {
        switch self {
        case .everyDevice: ""
        case .device(let name), .tag(let name), .fleet(let name): name
        }
    }

    /// Reads what ``kind`` and ``name`` wrote; `nil` for anything else.
    init?(kind: String, name: String) {
        switch kind {
        case "all": self = .everyDevice
        case "device": self = .device(name)
        case "tag": self = .tag(name)
        case "fleet": self = .fleet(name)
        default: return nil
        }
    }

    /// Every subject that means a device, from the narrowest to the widest.
    static func those(of device: DeviceRecord) -> [GrantSubject] {
        [.device(device.name)] + (device.fleet.map { [.fleet($0)] } ?? [])
            + device.tags.map { .tag($0) } + [.everyDevice]
    }
}

extension GrantSubject: CustomStringConvertible {
    /// `all`, or the kind and the name: `tag north`.
    public var description: String { name.isEmpty ? kind : "\(kind) \(name)" }
}
