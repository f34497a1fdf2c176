/// A path of the key server that hands out keys.
public enum Endpoint: Sendable, Equatable {
    /// `POST /v1/unlock`: keys by name, policy, approval.
    case unlock

    /// `GET /key`: the original's, one password.
    case key

    /// The method in upper case.
    public var method: String {
        switch self {
        case .unlock: "POST"
        case .key: "GET"
        }
    }

    /// The path, to append to the prefix.
    public var path: String {
        switch self {
        case .unlock: "/v1/unlock"
        case .key: "/key"
        }
    }
}
