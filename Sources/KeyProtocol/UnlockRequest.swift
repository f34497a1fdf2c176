public import Cryptography
internal import JSONText

/// What a device asks a key server: the body of `POST /v1/unlock`.
///
/// Protocol: `docs/protocol.md`, "POST /v1/unlock".
public struct UnlockRequest: Sendable, Equatable {
    /// What the device calls itself; who it is, its certificate or token says.
    public var device: String

    /// The kernel's `boot_id`.
    public var bootID: String

    /// The names of the keys it wants.
    public var keys: [String]

    /// The version of its software.
    public var version: String

    /// The ids of generated keys that its variables were encrypted under: of older generations of
    /// the wanted keys, those are given out too.
    public var identifiers: [String]

    /// The names of wanted keys of which it needs every generation, because the newest did not open
    /// its volume.
    public var generations: [String]

    /// Describes a request.
    ///
    /// - Parameters:
    ///   - device: At most ``UnlockLimits/maximumDeviceCount`` bytes.
    ///   - bootID: At most ``UnlockLimits/maximumBootIDCount`` bytes.
    ///   - keys: 1 to ``UnlockLimits/maximumKeys`` names.
    ///   - version: At most ``UnlockLimits/maximumVersionCount`` bytes.
    ///   - identifiers: At most ``UnlockLimits/maximumKeys`` ids.
    ///   - generations: At most ``UnlockLimits/maximumKeys`` names.
    public init(
        device: String,
        bootID: String,
        keys: [String],
        version: String,
        identifiers: [String] = [],
        generations: [String] = []
    ) {
        self.device = device
        self.bootID = bootID
        self.keys = keys
        self.version = version
        self.identifiers = identifiers
        self.generations = generations
    }

    /// Reads a request's body, and holds it to the limits.
    ///
    /// Members it does not know it passes over.
    ///
    /// - Parameter body: JSON.
    /// - Throws: ``WireError``.
    public init(decoding body: SecretBytes) throws(WireError) {
        self = try json { () throws(JSONError) in try Self.decoded(body) }
    }

    private static func decoded(_ body: SecretBytes) throws(JSONError) -> UnlockRequest {
        guard let root = try JSONDocument(body).root else { throw .notJSON(offset: 0) }
        guard let device = try root.text("device", limit: UnlockLimits.maximumDeviceCount) else {
            throw .missing(member: "device")
        }
        guard let keys = try root.names("keys") else { throw .missing(member: "keys") }
        guard !keys.isEmpty else { throw .invalid(member: "keys") }
        return UnlockRequest(
            device: device,
            bootID: try root.text("boot_id", limit: UnlockLimits.maximumBootIDCount) ?? "",
            keys: keys,
            version: try root.text("version", limit: UnlockLimits.maximumVersionCount) ?? "",
            identifiers: try root.names("ids") ?? [],
            generations: try root.names("generations") ?? []
        )
    }

    /// The body, in UTF-8.
    public func encoded() -> SecretBytes {
        var json = JSONWriter()
        json.append(#"{"device":"#)
        json.append(quoting: device)
        json.append(#","boot_id":"#)
        json.append(quoting: bootID)
        json.append(#","keys":"#)
        json.append(listing: keys)
        for (member, names) in [("ids", identifiers), ("generations", generations)]
        where !names.isEmpty {
            json.append(#","\#(member)":"#)
            json.append(listing: names)
        }
        json.append(#","version":"#)
        json.append(quoting: version)
        json.append("}")
        return json.text
    }
}

extension JSONObject {
    /// A list of names, as many and as long as the protocol allows.
    fileprivate func names(_ member: String) throws(JSONError) -> [String]? {
        try texts(
            member,
            maximum: UnlockLimits.maximumKeys,
            limit: UnlockLimits.maximumKeyNameCount
        )
    }
}
