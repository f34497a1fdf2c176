public import AccessRules

/// Why a device gets no key.
public enum ReleaseRefusal: Equatable, Sendable {
    /// Its address lies in a denied block.
    case addressDenied(by: CIDRBlock)

    /// Its address lies in none of the allowed blocks.
    case addressNotAllowed

    /// Nobody could say where it called from.
    case addressUnknown

    /// It may not have the key, or there is none of that name: a device cannot tell which.
    case keyNotGranted(name: String)

    /// The key is the store's, and nobody gave the server the root key.
    case storeSealed

    /// An operator has shut the whole store.
    case lockdown(since: Timestamp)

    /// It asked for nothing.
    case noKeyNamed

    /// An operator has revoked it.
    case deviceRevoked(name: String, at: Timestamp)

    /// The certificate was given to a device that has been removed.
    case deviceRemoved

    /// The device has been given another certificate in place of this one.
    case certificateRevoked(at: Timestamp)

    /// The token has been revoked.
    case tokenRevoked(at: Timestamp)

    /// The token's time is over.
    case tokenExpired(at: Timestamp)

    /// The token's time has not come, by the clock here.
    case tokenNotYetValid(from: Timestamp)

    /// The token is not good for the key, whether the device may have it or not.
    case keyNotInToken(name: String)

    /// A policy of the store does not let it.
    case policy(of: PolicySubject, Violation)

    /// In how many seconds to ask again, where asking again may help; `nil` where it will not.
    public var retryAfter: Int? {
        switch self {
        case .policy(_, let violation): violation.retryAfter
        case .storeSealed: 30
        case .lockdown: 60
        default: nil
        }
    }

    /// The code in the answer; clients may depend on it.
    public var code: String {
        switch self {
        case .addressDenied, .addressNotAllowed, .addressUnknown: "address_denied"
        case .keyNotGranted: "key_not_granted"
        case .noKeyNamed: "no_key_named"
        case .storeSealed: "sealed"
        case .lockdown: "lockdown"
        case .deviceRevoked, .deviceRemoved: "device_revoked"
        case .certificateRevoked: "certificate_revoked"
        case .tokenRevoked: "token_revoked"
        case .tokenExpired: "token_expired"
        case .tokenNotYetValid: "token_not_valid_yet"
        case .keyNotInToken: "key_not_granted"
        case .policy(_, let violation): Self.words(violation.rule).code
        }
    }

    /// The sentence in the answer; says no more than the device knows itself.
    public var message: String {
        switch self {
        case .addressDenied, .addressNotAllowed, .addressUnknown:
            "no key is given out to this address"
        case .keyNotGranted(let name): "this device has no grant for the key '\(name)'"
        case .noKeyNamed: "the request names no key"
        case .lockdown: "the store is locked down"
        case .storeSealed: "the server has not been given what opens its keys yet"
        case .deviceRevoked, .deviceRemoved: "this device has been revoked"
        case .certificateRevoked: "this certificate has been replaced by another"
        case .tokenRevoked: "this token has been revoked"
        case .tokenExpired: "this token has expired"
        case .tokenNotYetValid: "this token is not valid yet"
        case .keyNotInToken(let name): "this token is not good for the key '\(name)'"
        case .policy(_, let violation): Self.words(violation.rule).message
        }
    }

    /// What the log says beyond ``code``.
    public var detail: String {
        switch self {
        case .addressDenied(let block): "denied by \(block)"
        case .addressNotAllowed: "in no allowed block"
        case .addressUnknown: "peer address unknown"
        case .keyNotGranted(let name): "no grant for \(name)"
        case .noKeyNamed: "no key named"
        case .storeSealed: "no root key"
        case .lockdown(let time): "locked down since \(time)"
        case .deviceRevoked(let name, let time): "device \(name) revoked on \(time)"
        case .deviceRemoved: "certificate of a device that was removed"
        case .certificateRevoked(.always): "certificate replaced"
        case .tokenRevoked(let time): "token revoked on \(time)"
        case .tokenExpired(let time): "token expired on \(time)"
        case .tokenNotYetValid(let time): "token from \(time), which is yet to come"
        case .keyNotInToken(let name): "the token does not name \(name)"
        case .certificateRevoked(let time): "certificate replaced on \(time)"
        case .policy(let subject, let violation): "policy of \(subject): \(violation.rule)"
        }
    }

    /// What a device learns of a rule: neither its values nor whom it is for.
    private static func words(_ rule: Rule) -> (code: String, message: String) {
        switch rule {
        case .allow, .deny: ("address_denied", "no key is given out to this address")
        case .hours: ("outside_hours", "no key is given out at this time")
        case .rate: ("rate_limited", "this device has asked for keys too often")
        case .releases: ("releases_used_up", "this device has had its keys as often as it may")
        case .unseen: ("unseen_too_long", "this device has not been seen for too long")
        }
    }
}
