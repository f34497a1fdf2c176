internal import AccessRules
internal import Cryptography
internal import HTTPTypes
internal import HummingbirdCore
internal import KeyProtocol
internal import Logging
internal import NIOCore
internal import NIOPosix

/// Answers devices that want a certificate.
struct RegistrationDesk: Sendable {
    let registrar: Registrar
    let limiter: AttemptLimiter
    let metrics: ServerMetrics
    let logger: Logger

    private static let enrolment = "/v1/enroll"
    private static let renewal = "/v1/renew"

    /// Answers `POST /v1/enroll`, the one request that needs no certificate.
    func enroll(
        _ request: Request,
        id: String,
        from address: IPAddress?
    ) async -> Answer {
        if let seconds = limiter.admit(address) {
            return refuse(
                .tooManyRequests,
                "rate_limited",
                "too many attempts",
                ["address": "\(address?.description ?? "unknown")", "request_id": "\(id)"],
                path: Self.enrolment,
                retryAfter: seconds
            )
        }
        let answer = await answer(request, id: id, path: Self.enrolment, from: address) {
            body,
            signingRequest throws(KeyServerError) in
            let token = body.token.flatMap(EnrolmentToken.init(parsing:))
            return try registrar.enroll(token, signingRequest, from: address)
        }
        if answer.status == .ok { limiter.refund(address) }
        return answer
    }

    /// Answers `POST /v1/renew`.
    func renew(
        _ request: Request,
        id: String,
        _ certificate: CertificateInfo,
        from address: IPAddress?
    ) async -> Answer {
        await answer(request, id: id, path: Self.renewal, from: address) {
            _,
            signingRequest throws(KeyServerError) in
            try registrar.renew(
                certificate.fingerprint,
                named: certificate.name,
                signingRequest,
                from: address
            )
        }
    }

    private func answer(
        _ request: Request,
        id: String,
        path: String,
        from address: IPAddress?,
        _ decide:
            @escaping @Sendable (CertificateRequest, SigningRequest) throws(KeyServerError) ->
            Registrar.Outcome
    ) async -> Answer {
        var metadata: Logger.Metadata = [
            "address": "\(address?.description ?? "unknown")", "path": "\(path)",
            "request_id": "\(id)",
        ]
        do {
            let limit = CertificateRequest.maximumBodyCount
            if let length = request.headers[.contentLength].flatMap(Int.init), length > limit {
                throw NIOTooManyBytesError(maxBytes: limit)
            }
            let bytes = try await request.body.collect(upTo: limit)
            let body = SecretBytes(copying: bytes.readableBytesView)
            // Signatures are made and the disk is waited for: not on a thread that serves others.
            let outcome = try await NIOThreadPool.singleton.runIfActive {
                let body = try CertificateRequest(decoding: body)
                return try decide(body, SigningRequest(pem: body.request))
            }
            return answer(outcome, path, &metadata)
        } catch is NIOTooManyBytesError {
            let words = "the body is too long"
            return refuse(.contentTooLarge, "too_large", words, metadata, path: path)
        } catch let error as WireError {
            let words = "the body is \(error)"
            return refuse(.badRequest, "malformed", words, metadata, path: path)
        } catch KeyServerError.signingRequest(let reason) {
            return refuse(
                .badRequest,
                "malformed",
                "the signing request \(reason)",
                metadata,
                path: path
            )
        } catch {
            // What cannot be recorded is not given out.
            metadata["reason"] = "\(error)"
            metrics.certificateRequests.add(path, "failed", "unavailable")
            logger.error("Certificate not recorded, nothing given out", metadata: metadata)
            return .error(
                .serviceUnavailable,
                code: "unavailable",
                message: "the server cannot record its decisions at present",
                fields: [.retryAfter: "10"]
            )
        }
    }

    private func answer(
        _ outcome: Registrar.Outcome,
        _ path: String,
        _ metadata: inout Logger.Metadata
    ) -> Answer {
        switch outcome {
        case .issued(let answer, let token):
            metadata["device"] = "\(answer.device)"
            if let token { metadata["token"] = "\(token)" }
            logger.info("Certificate given out", metadata: metadata)
            metrics.certificateRequests.add(path, "issued", "")
            return .keys(answer.encoded(), status: .ok)
        case .refused(let refusal, let device, let token):
            if let device { metadata["device"] = "\(device)" }
            if let token { metadata["token"] = "\(token)" }
            metadata["detail"] = "\(refusal.detail)"
            return refuse(
                refusal.retryAfter == nil ? .forbidden : .serviceUnavailable,
                refusal.code,
                refusal.message,
                metadata,
                path: path,
                retryAfter: refusal.retryAfter
            )
        }
    }

    private func refuse(
        _ status: HTTPResponse.Status,
        _ code: String,
        _ message: String,
        _ metadata: Logger.Metadata,
        path: String,
        retryAfter: Int? = nil
    ) -> Answer {
        var metadata = metadata
        metadata["code"] = "\(code)"
        if metadata["detail"] == nil { metadata["detail"] = "\(message)" }
        logger.warning("Certificate refused", metadata: metadata)
        metrics.certificateRequests.add(path, "refused", code)
        return .error(
            status,
            code: code,
            message: message,
            fields: retryAfter.map { [.retryAfter: String($0)] } ?? [:]
        )
    }
}
