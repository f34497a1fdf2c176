internal import HTTPTypes

/// What a request line asks for.
enum Route: Equatable {
    case key, unlock, enroll, renew
    case unknown
    case wrongMethod(allowed: String)

    /// What monitoring calls it: one of a few, whatever the path was.
    var label: String {
        switch self {
        case .key: "/key"
        case .unlock: "/v1/unlock"
        case .enroll: "/v1/enroll"
        case .renew: "/v1/renew"
        case .unknown, .wrongMethod: "other"
        }
    }

    /// Finds the route of the key listener.
    ///
    /// Paths are compared as they came: no decoding and no clean-up, so no two ways to spell one.
    init(method: HTTPRequest.Method, path: String?) {
        switch path?.prefix(while: { $0 != "?" }) {
        case "/key": self = method == .get ? .key : .wrongMethod(allowed: "GET")
        case "/v1/unlock": self = method == .post ? .unlock : .wrongMethod(allowed: "POST")
        case "/v1/enroll": self = method == .post ? .enroll : .wrongMethod(allowed: "POST")
        case "/v1/renew": self = method == .post ? .renew : .wrongMethod(allowed: "POST")
        default: self = .unknown
        }
    }
}
