internal import Cryptography
internal import HTTPTypes
internal import HummingbirdCore
internal import NIOCore
internal import Synchronization

/// Answers monitoring.
struct AdminResponder: Sendable {
    let readiness: Readiness

    @Sendable func respond(
        _ request: Request,
        _ writer: consuming ResponseWriter,
        _ channel: any Channel
    ) async throws {
        let answer = answer(request)
        try await writer.write(
            response: answer.head,
            body: ResponseBody(byteBuffer: answer.buffer)
        )
    }

    private func answer(_ request: Request) -> Answer {
        let path = request.head.path
        guard path == "/healthz" || path == "/readyz" else {
            return .error(.notFound, code: "not_found", message: "there is nothing at this path")
        }
        guard request.method == .get else {
            return .error(
                .methodNotAllowed,
                code: "method_not_allowed",
                message: "use GET",
                fields: [.allow: "GET"]
            )
        }
        if path == "/readyz", !readiness.isReady {
            return .error(.serviceUnavailable, code: "not_ready", message: "starting or stopping")
        }
        return Answer(status: .ok, body: SecretBytes(copying: #"{"status":"ok"}"#.utf8))
    }
}

/// Whether devices are being answered right now.
final class Readiness: Sendable {
    private let flag = Atomic(false)

    var isReady: Bool {
        get { flag.load(ordering: .acquiring) }
        set { flag.store(newValue, ordering: .releasing) }
    }
}
