internal import AccessRules
internal import Cryptography
internal import HTTPTypes
internal import HummingbirdCore
internal import KeyProtocol
internal import Logging
internal import NIOCore
internal import NIOSSL

/// Answers the requests of devices.
struct KeyResponder: Sendable {
    let decider: any ReleaseDecider
    let answers: ReleaseAnswer
    let certificates: LiveCertificates
    let registration: RegistrationDesk?
    let gate: TokenGate?
    let limits: ServerLimits
    let metrics: ServerMetrics
    let logger: Logger

    /// Answers one request.
    @Sendable func respond(
        _ request: Request,
        _ writer: consuming ResponseWriter,
        _ channel: any Channel
    ) async throws {
        let begin = NIODeadline.now()
        let id = RequestIdentifier.of(request.headers)
        var route = Route(method: request.method, path: request.head.path)
        if registration == nil, route == .enroll || route == .renew { route = .unknown }
        var answer: Answer
        do {
            answer = try await self.answer(request, route, id: id, channel)
        } catch let stranger as Stranger {
            answer = stranger.answer
        }
        answer.fields[.requestID] = id
        metrics.requests.add(route.label, "\(answer.status.code)")
        try await writer.write(
            response: answer.head,
            body: ResponseBody(byteBuffer: answer.buffer)
        )
        metrics.requestDuration.observe(nanoseconds: (NIODeadline.now() - begin).nanoseconds)
    }

    private func answer(
        _ request: Request,
        _ route: Route,
        id: String,
        _ channel: any Channel
    ) async throws -> Answer {
        switch route {
        case .unknown:
            let answer = Answer.error(
                .notFound,
                code: "not_found",
                message: "there is nothing at this path"
            )
            return try await rejected(answer, request, id: id, channel)
        case .wrongMethod(let allowed):
            let answer = Answer.error(
                .methodNotAllowed,
                code: "method_not_allowed",
                message: "use \(allowed)",
                fields: [.allow: allowed]
            )
            return try await rejected(answer, request, id: id, channel)
        case .key:
            return try await answerOriginal(request, id: id, channel)
        case .unlock:
            return try await answerUnlock(request, id: id, channel)
        case .enroll, .renew:
            return try await answerRegistration(route, request, id: id, channel)
        }
    }

    /// Answers who wants a certificate.
    private func answerRegistration(
        _ route: Route,
        _ request: Request,
        id: String,
        _ channel: any Channel
    ) async throws -> Answer {
        guard let registration else { return TokenGate.stranger }
        let address = try await address(of: channel)
        guard route == .renew else {
            return await registration.enroll(request, id: id, from: address)
        }
        guard let certificate = try await certificate(of: channel) else {
            return try await rejected(TokenGate.stranger, request, id: id, channel)
        }
        return await registration.renew(request, id: id, certificate, from: address)
    }

    /// Who asks, and from where.
    private struct Asker {
        var device: String
        var fingerprint = ""
        var token: TokenClaims?
        var address: IPAddress?

        /// Whether it showed a certificate that every device of a fleet has.
        var isLegacy = false
    }

    /// Who is answered before it is known what they want.
    private struct Stranger: Error {
        let answer: Answer
    }

    /// By the certificate that TLS has verified; without one by a token, where those are taken.
    private func asker(
        _ request: Request,
        id: String,
        _ channel: any Channel
    ) async throws -> Asker {
        let address = try await address(of: channel)
        if let certificate = try await certificate(of: channel) {
            return Asker(
                device: certificate.name,
                fingerprint: certificate.fingerprint,
                address: address,
                isLegacy: certificates.loaded.shared.contains(certificate.fingerprint)
            )
        }
        guard let gate, request.headers.contains(.authorization) else {
            let answer = try await rejected(TokenGate.stranger, request, id: id, channel)
            throw Stranger(answer: answer)
        }
        switch await gate.check(request.headers, id: id, from: address) {
        case .answer(let answer): throw Stranger(answer: answer)
        case .token(let claims):
            return Asker(device: claims.device, token: claims, address: address)
        }
    }

    /// Writes the log line of a request that it does not come to a decision about.
    private func rejected(
        _ answer: Answer,
        _ request: Request,
        id: String,
        _ channel: any Channel
    ) async throws -> Answer {
        let address = try await address(of: channel)
        let device = try await certificate(of: channel)?.name ?? ""
        logger.notice(
            "Request rejected",
            metadata: [
                "address": "\(address?.description ?? "unknown")",
                "code": "\(answer.code ?? "")",
                "device": "\(device)",
                "method": "\(request.method.rawValue.prefix(32))",
                "path": "\((request.head.path ?? "").prefix(128))",
                "request_id": "\(id)",
                "status": "\(answer.status.code)",
            ]
        )
        return answer
    }

    private func answerOriginal(
        _ request: Request,
        id: String,
        _ channel: any Channel
    ) async throws -> Answer {
        let asker = try await asker(request, id: id, channel)
        var request = ReleaseRequest(
            device: asker.device,
            fingerprint: asker.fingerprint,
            token: asker.token,
            address: asker.address,
            keyNames: [KeyBundle.defaultName],
            id: id
        )
        request.isLegacy = asker.isLegacy
        return await decide(request, path: "/key", status: .created) { outcome in
            try answers.original(outcome)
        }
    }

    private func answerUnlock(
        _ request: Request,
        id: String,
        _ channel: any Channel
    ) async throws -> Answer {
        let asker = try await asker(request, id: id, channel)
        // Refused before it is read, where the client says how long it is.
        if let length = request.headers[.contentLength].flatMap(Int.init),
            length > limits.bodyCount
        {
            return try await rejected(tooLarge, request, id: id, channel)
        }
        let body: UnlockRequest
        do {
            let bytes = try await request.body.collect(upTo: limits.bodyCount)
            body = try UnlockRequest(decoding: SecretBytes(copying: bytes.readableBytesView))
        } catch is NIOTooManyBytesError {
            return try await rejected(tooLarge, request, id: id, channel)
        } catch let error as WireError {
            let answer = Answer.error(
                .badRequest,
                code: "malformed",
                message: "the body is \(error)"
            )
            return try await rejected(answer, request, id: id, channel)
        }
        var request = ReleaseRequest(
            device: asker.device,
            fingerprint: asker.fingerprint,
            token: asker.token,
            claimedDevice: body.device,
            address: asker.address,
            keyNames: body.keys,
            identifiers: body.identifiers,
            generations: body.generations,
            id: id
        )
        request.takesToken = asker.token != nil
        request.isLegacy = asker.isLegacy
        return await decide(request, path: "/v1/unlock", status: .ok) { outcome in
            try answers.unlock(outcome, request)
        }
    }

    private var tooLarge: Answer {
        .error(
            .contentTooLarge,
            code: "too_large",
            message: "the body is longer than \(limits.bodyCount) bytes"
        )
    }

    /// Decides, has the decision recorded, writes the log line, and only then lets the answer go.
    private func decide(
        _ request: ReleaseRequest,
        path: String,
        status: HTTPResponse.Status,
        answer: (ReleaseOutcome) throws -> SecretBytes?
    ) async -> Answer {
        var metadata: Logger.Metadata = [
            "address": "\(request.address?.description ?? "unknown")",
            "device": "\(request.device)",
            "keys": "\(request.keyNames.joined(separator: ","))",
            "path": "\(path)",
        ]
        if let id = request.id { metadata["request_id"] = "\(id)" }
        if let token = request.token { metadata["token"] = "\(token.id)" }
        if request.isLegacy {
            logger.warning(
                "A key was asked for with the shared certificate of the original's (--legacy)",
                metadata: metadata
            )
        }
        if let claimed = request.claimedDevice, claimed != request.device {
            metadata["claimed_device"] = "\(claimed)"
        }
        let outcome: ReleaseOutcome
        let body: SecretBytes?
        let begin = NIODeadline.now()
        do {
            outcome = try await decider.decide(request)
            metrics.decisionDuration.observe(
                nanoseconds: (NIODeadline.now() - begin).nanoseconds
            )
            body = outcome.decision == .granted ? try answer(outcome) : nil
        } catch {
            // What cannot be recorded, or opened, is not given out.
            metrics.decisions.add("failed", "unavailable")
            metadata["result"] = "failed"
            metadata["reason"] = "\(error)"
            logger.error(
                "Decision not recorded or key not opened, nothing released",
                metadata: metadata
            )
            return .error(
                .serviceUnavailable,
                code: "unavailable",
                message: "the server cannot record its decisions or open its keys at present",
                fields: [.retryAfter: "10"]
            )
        }
        if let body {
            metrics.decisions.add("released", "")
            metadata["result"] = "released"
            logger.info("Key released", metadata: metadata)
            return .keys(body, status: status)
        }
        let refusal: ReleaseRefusal
        if case .refused(let reason) = outcome.decision {
            refusal = reason
        } else {
            // The policy knows exactly the keys there are, so this is not reached; if it ever
            // is, nothing is given out.
            refusal = .keyNotGranted(name: request.keyNames.first ?? "")
        }
        metrics.decisions.add("refused", refusal.code)
        metadata["result"] = "refused"
        metadata["code"] = "\(refusal.code)"
        metadata["reason"] = "\(refusal.detail)"
        logger.warning("Key refused", metadata: metadata)
        return .error(
            Self.status(of: refusal),
            code: refusal.code,
            message: refusal.message,
            fields: refusal.retryAfter.map { [.retryAfter: String($0)] } ?? [:]
        )
    }

    /// Devices end at 403, and go on asking at the others.
    private static func status(of refusal: ReleaseRefusal) -> HTTPResponse.Status {
        if case .policy(_, let violation) = refusal, case .rate = violation.rule {
            return .tooManyRequests
        }
        return refusal.retryAfter == nil ? .forbidden : .serviceUnavailable
    }

    private func address(of channel: any Channel) async throws -> IPAddress? {
        try await channel.eventLoop.submit { channel.clientAddress }.get()
    }

    /// What the certificate says that TLS has verified; `nil` where none was shown.
    private func certificate(of channel: any Channel) async throws -> CertificateInfo? {
        guard let certificate = try await channel.nioSSL_peerCertificate().get() else {
            return nil
        }
        return try CertificateInfo(der: certificate.toDERBytes())
    }
}
