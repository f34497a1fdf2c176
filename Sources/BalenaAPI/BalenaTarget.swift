/// Whose variables are meant.
public enum BalenaTarget: Equatable, Sendable {
    /// One device, by its UUID; of one of its services, or of all.
    case device(uuid: String, service: String?)

    /// Every device of a fleet, by its slug, `ORGANISATION/FLEET`; of one service, or of all.
    case fleet(slug: String, service: String?)

    /// What a person calls it.
    public var name: String {
        switch self {
        case .device(let uuid, let service): "device \(uuid)" + Self.of(service)
        case .fleet(let slug, let service): "fleet \(slug)" + Self.of(service)
        }
    }

    private static func of(_ service: String?) -> String { service.map { ", service \($0)" } ?? "" }
}

/// Where the variables of a target are kept.
struct VariableShelf {
    /// The resource that the variables are entries of.
    let resource: String

    /// The field of theirs that says what they belong to.
    let owner: String

    /// What they belong to.
    let ownerID: Int

    /// Whose they are, for messages.
    let target: BalenaTarget
}
