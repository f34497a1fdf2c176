internal import AccessRules
internal import Cryptography
internal import HTTPTypes
internal import HummingbirdCore
internal import NIOCore

/// Answers monitoring.
struct AdminResponder: Sendable {
    let readiness: Readiness
    let metrics: ServerMetrics
    let admission: Admission
    let certificates: LiveCertificates

    /// `nil` for a server without a store.
    let probe: StoreProbe?

    /// What waits to be put on disk.
    let backlog: @Sendable () -> AuditBacklog

    /// Whether only this machine can call: then a name in `Host` is a web page's, which a browser
    /// here was led to (DNS rebinding).
    let isLoopback: Bool

    @Sendable func respond(
        _ request: Request,
        _ writer: consuming ResponseWriter,
        _ channel: any Channel
    ) async throws {
        let answer = await answer(request)
        try await writer.write(
            response: answer.head,
            body: ResponseBody(byteBuffer: answer.buffer)
        )
    }

    private func answer(_ request: Request) async -> Answer {
        guard !isLoopback || Self.isLocal(request.head.authority) else {
            return .error(
                .misdirectedRequest,
                code: "host",
                message: "ask by address, or as localhost"
            )
        }
        guard let path = request.head.path,
            ["/healthz", "/readyz", "/metrics"].contains(path.prefix { $0 != "?" })
        else {
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
        switch path.prefix(while: { $0 != "?" }) {
        case "/readyz": return await ready()
        case "/metrics": return await page()
        default: return Self.fine
        }
    }

    private static var fine: Answer {
        Answer(status: .ok, body: SecretBytes(copying: #"{"status":"ok"}"#.utf8))
    }

    private func ready() async -> Answer {
        let (_, obstacle) = await look()
        guard let obstacle else { return Self.fine }
        return .error(.serviceUnavailable, code: obstacle.code, message: obstacle.message)
    }

    private func page() async -> Answer {
        let (store, obstacle) = await look()
        let page = MetricsPage(
            metrics: metrics,
            admission: admission,
            certificates: certificates,
            backlog: backlog(),
            isReady: obstacle == nil,
            store: store
        )
        return Answer(
            status: .ok,
            contentType: "text/plain; version=0.0.4; charset=utf-8",
            body: SecretBytes(copying: page.text.utf8)
        )
    }

    /// What the store says, and why devices are not answered, if they are not.
    private func look() async -> (StoreStatus?, (code: String, message: String)?) {
        var status: StoreStatus?
        var obstacle: (code: String, message: String)?
        do {
            status = try await probe?.look()
        } catch {
            obstacle = ("database_unreachable", "\(error)")
        }
        if status?.isSealed == true {
            obstacle = (
                "sealed", "the store's keys are sealed; 'secure-store operator unseal' opens them"
            )
        }
        switch readiness.phase {
        case .starting: obstacle = ("starting", "the server is not listening for devices yet")
        case .stopping: obstacle = ("stopping", "the server has been told to stop")
        case .serving: break
        }
        return (status, obstacle)
    }

    /// Whether a `Host` field is an address or `localhost`, with or without a port.
    static func isLocal(_ host: String?) -> Bool {
        guard let host else { return true }
        if host.first == "[" {
            guard let end = host.firstIndex(of: "]") else { return false }
            return IPAddress(host[host.index(after: host.startIndex)..<end]) != nil
        }
        let name = host.prefix { $0 != ":" }
        return name.lowercased() == "localhost" || IPAddress(name) != nil
    }
}
