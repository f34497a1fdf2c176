internal import FoundationEssentials
internal import KeyProtocol

/// The body of `POST /v1/unlock`, as it arrived.
struct UnlockBody: Decodable, Equatable {
    /// The most names one request may hold.
    static let maximumKeyCount = 64

    var device: String?
    var bootID: String?
    var keys: [String]
    var version: String?

    private enum CodingKeys: String, CodingKey {
        case device, keys, version
        case bootID = "boot_id"
    }

    /// Reads a body, `nil` for anything but such an object; fields it does not know are passed over.
    ///
    /// - Parameter bytes: At most ``ServerLimits/bodyCount``.
    init?(parsing bytes: some Collection<UInt8>) {
        guard let body = try? JSONDecoder().decode(UnlockBody.self, from: Data(bytes)),
            body.keys.count <= Self.maximumKeyCount
        else { return nil }
        self = body
    }

    /// The names asked for; a request that names none means the default key.
    var keyNames: [String] { keys.isEmpty ? [KeyBundle.defaultName] : keys }
}
