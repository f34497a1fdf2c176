internal import AccessRules
internal import Cryptography
internal import HTTPTypes
internal import KeyProtocol
internal import Logging
internal import NIOPosix

/// Lets in who shows a token of the store's, where that is wanted.
///
/// A stranger's token leaves a line in the log and nothing on the disk, and learns no more than that
/// it is not accepted. Only attempts that fail are held down: whoever guesses behind an address keeps
/// nobody else there from their keys, and a signature is checked in less time than TLS has taken.
struct TokenGate: Sendable {
    let store: StoreGate?
    let limiter: AttemptLimiter
    let metrics: ServerMetrics
    let logger: Logger

    /// What came of a request's `Authorization`.
    enum Finding {
        case token(TokenClaims)
        case answer(Answer)
    }

    /// Reads and checks the token of a request.
    ///
    /// - Parameters:
    ///   - fields: The request's.
    ///   - id: The request's, for the log.
    ///   - address: Where it came from.
    /// - Returns: What the token says, or what to answer.
    func check(
        _ fields: HTTPFields,
        id: String,
        from address: IPAddress?
    ) async -> Finding {
        let values = fields[values: .authorization]
        guard let value = values.first else { return .answer(Self.stranger) }
        guard values.count == 1, let token = Self.bearer(value) else {
            return refuse("no bearer token", address, id: id)
        }
        guard let signer = store?.signer else {
            return refuse(
                .serviceUnavailable,
                "sealed",
                "the server has not been given what opens its keys yet",
                "no root key",
                address,
                id: id,
                retryAfter: 30
            )
        }
        do {
            // Signatures are checked, and at times the disk is read.
            let claims = try await NIOThreadPool.singleton.runIfActive { try signer.verify(token) }
            return .token(claims)
        } catch let error as TokenError {
            return refuse("\(error)", address, id: id)
        } catch {
            metrics.tokensRefused.add("unavailable")
            logger.error(
                "Token not checked",
                metadata: ["reason": "\(error)", "request_id": "\(id)"]
            )
            return .answer(
                .error(
                    .serviceUnavailable,
                    code: "unavailable",
                    message: "the server cannot check tokens at present",
                    fields: [.retryAfter: "10"]
                )
            )
        }
    }

    /// For who has shown nothing.
    static let stranger = Answer.error(
        .unauthorized,
        code: "unauthenticated",
        message: "a client certificate or a token is needed",
        fields: [.wwwAuthenticate: "Bearer"]
    )

    /// The token of `Bearer TOKEN`, RFC 6750 §2.1; the scheme in any case of letters.
    private static func bearer(_ value: String) -> SecretBytes? {
        let scheme = "bearer "
        guard value.utf8.count <= DeviceToken.maximumCount + scheme.utf8.count,
            value.prefix(scheme.count).lowercased() == scheme
        else { return nil }
        return SecretBytes(copying: value.utf8.dropFirst(scheme.utf8.count))
    }

    private func refuse(_ reason: String, _ address: IPAddress?, id: String) -> Finding {
        if let seconds = limiter.admit(address) {
            return refuse(
                .tooManyRequests,
                "rate_limited",
                "too many attempts",
                reason,
                address,
                id: id,
                retryAfter: seconds
            )
        }
        return refuse(
            .unauthorized,
            "token_refused",
            "this token is not accepted",
            reason,
            address,
            id: id
        )
    }

    private func refuse(
        _ status: HTTPResponse.Status,
        _ code: String,
        _ message: String,
        _ reason: String,
        _ address: IPAddress?,
        id: String,
        retryAfter: Int? = nil
    ) -> Finding {
        metrics.tokensRefused.add(code)
        logger.warning(
            "Token refused",
            metadata: [
                "address": "\(address?.description ?? "unknown")", "code": "\(code)",
                "reason": "\(reason)", "request_id": "\(id)",
            ]
        )
        return .answer(
            .error(
                status,
                code: code,
                message: message,
                fields: retryAfter.map { [.retryAfter: String($0)] } ?? [:]
            )
        )
    }
}
