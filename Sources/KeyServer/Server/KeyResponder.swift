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
    let limits: ServerLimits
    let logger: Logger

    /// Answers one request.
    @Sendable func respond(
        _ request: Request,
        _ writer: consuming ResponseWriter,
        _ channel: any Channel
    ) async throws {
        let answer = try await answer(request, channel)
        try await writer.write(
            response: answer.head,
            body: ResponseBody(byteBuffer: answer.buffer)
        )
    }

    private func answer(_ request: Request, _ channel: any Channel) async throws -> Answer {
        switch Route(method: request.method, path: request.head.path) {
        case .unknown:
            return .error(.notFound, code: "not_found", message: "there is nothing at this path")
        case .wrongMethod(let allowed):
            return .error(
                .methodNotAllowed,
                code: "method_not_allowed",
                message: "use \(allowed)",
                fields: [.allow: allowed]
            )
        case .key:
            return try await answerOriginal(channel)
        case .unlock:
            return try await answerUnlock(request, channel)
        }
    }

    private func answerOriginal(_ channel: any Channel) async throws -> Answer {
        let certificate = try await certificate(of: channel)
        let request = ReleaseRequest(
            device: certificate.name,
            fingerprint: certificate.fingerprint,
            address: try await address(of: channel),
            keyNames: [KeyBundle.defaultName]
        )
        return await decide(request, path: "/key", status: .created) { outcome in
            try answers.original(outcome)
        }
    }

    private func answerUnlock(_ request: Request, _ channel: any Channel) async throws -> Answer {
        // Refused before it is read, where the client says how long it is.
        if let length = request.headers[.contentLength].flatMap(Int.init),
            length > limits.bodyCount
        {
            return tooLarge
        }
        let body: UnlockRequest
        do {
            let bytes = try await request.body.collect(upTo: limits.bodyCount)
            body = try UnlockRequest(decoding: SecretBytes(copying: bytes.readableBytesView))
        } catch is NIOTooManyBytesError {
            return tooLarge
        } catch let error as WireError {
            return .error(.badRequest, code: "malformed", message: "the body is \(error)")
        }
        let certificate = try await certificate(of: channel)
        let request = ReleaseRequest(
            device: certificate.name,
            fingerprint: certificate.fingerprint,
            claimedDevice: body.device,
            address: try await address(of: channel),
            keyNames: body.keys,
            identifiers: body.identifiers,
            generations: body.generations
        )
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
        if let claimed = request.claimedDevice, claimed != request.device {
            metadata["claimed_device"] = "\(claimed)"
        }
        let outcome: ReleaseOutcome
        let body: SecretBytes?
        do {
            outcome = try await decider.decide(request)
            body = outcome.decision == .granted ? try answer(outcome) : nil
        } catch {
            // What cannot be recorded, or opened, is not given out.
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

    /// What the certificate says that TLS has verified.
    private func certificate(of channel: any Channel) async throws -> CertificateInfo {
        guard let certificate = try await channel.nioSSL_peerCertificate().get() else {
            // TLS lets nobody through without one.
            throw KeyServerError.stopped(reason: "a connection without a certificate")
        }
        return try CertificateInfo(der: certificate.toDERBytes())
    }
}
