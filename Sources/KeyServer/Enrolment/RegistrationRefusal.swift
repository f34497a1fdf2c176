/// Why a device gets no certificate.
enum RegistrationRefusal: Equatable, Sendable {
    /// The token is none of this store's. All that a stranger learns, and nothing the log keeps of
    /// strangers' making.
    case unknownToken

    /// Its time is over.
    case tokenExpired

    /// Its time has not come, by the clock here: has that been set back?
    case tokenFromTheFuture

    /// An operator has ended it.
    case tokenEnded

    /// As many devices as may have used it.
    case tokenUsed

    /// There is a device of the name already.
    case deviceExists(name: String)

    /// The token's pattern gives no name that is free.
    case noNameLeft

    /// The certificate that was shown is none that this store gave, or is being replaced.
    case notRenewable

    /// The device has as many certificates as one can have.
    case tooManyCertificates

    /// Whoever asks gets nothing at all: lockdown, revocation, address.
    case release(ReleaseRefusal)

    /// The code in the answer; clients may depend on it.
    var code: String {
        switch self {
        case .unknownToken: "token_refused"
        case .tokenExpired: "token_expired"
        case .tokenFromTheFuture: "token_not_valid_yet"
        case .tokenEnded: "token_revoked"
        case .tokenUsed: "token_used"
        case .deviceExists: "device_exists"
        case .noNameLeft: "no_name_left"
        case .notRenewable: "not_renewable"
        case .tooManyCertificates: "too_many_certificates"
        case .release(let refusal): refusal.code
        }
    }

    /// The sentence in the answer.
    var message: String {
        switch self {
        case .unknownToken: "this token is not known here"
        case .tokenExpired: "this token has expired"
        case .tokenFromTheFuture: "this token is not valid yet"
        case .tokenEnded: "this token has been revoked"
        case .tokenUsed: "this token has been used up"
        case .deviceExists: "there is a device of that name already"
        case .noNameLeft: "no name is left for another device"
        case .notRenewable: "this certificate cannot be renewed"
        case .tooManyCertificates: "this device has too many certificates"
        case .release(let refusal): refusal.message
        }
    }

    /// What the log says beyond ``code``.
    var detail: String {
        switch self {
        case .deviceExists(let name): "there is a device \(name) already"
        case .release(let refusal): refusal.detail
        default: message
        }
    }

    /// In how many seconds to ask again, where asking again may help.
    var retryAfter: Int? {
        if case .release(let refusal) = self { refusal.retryAfter } else { nil }
    }
}
