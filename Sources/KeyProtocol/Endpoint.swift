/// A path of the key server.
public enum Endpoint: Sendable, Equatable {
    /// `POST /v1/unlock`: keys by name, policy, approval.
    case unlock

    /// `GET /key`: the original's, one password.
    case key

    /// `POST /v1/enroll`: a device's first certificate, for a one-time token.
    case enroll

    /// `POST /v1/renew`: its next, for its present one.
    case renew

    /// The method in upper case.
    public var method: String {
        switch self {
        case .unlock, .enroll, .renew: "POST"
        case .key: "GET"
        }
    }

    /// The path, to append to the prefix.
    public var path: String {
        switch self {
        case .unlock: "/v1/unlock"
        case .key: "/key"
        case .enroll: "/v1/enroll"
        case .renew: "/v1/renew"
        }
    }
}
