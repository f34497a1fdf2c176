/// What the server counts while it works.
///
/// Nothing here waits or is waited for; a page of it is made by ``MetricsPage``.
final class ServerMetrics: Sendable {
    /// When counting began: the process's start, as near as makes no difference.
    let startedAt = Timestamp.now

    /// Requests of devices that were answered.
    let requests = CounterFamily("path", "status")

    /// From a request's head to the last byte of its answer.
    let requestDuration = LatencyHistogram()

    /// Decisions; the code is empty where the key was released.
    let decisions = CounterFamily("result", "code")

    /// From the question to the decision on disk.
    let decisionDuration = LatencyHistogram()

    /// Requests for certificates; the code is empty where one was given out.
    let certificateRequests = CounterFamily("path", "result", "code")

    /// Tokens that were refused before there was anything to decide.
    let tokensRefused = CounterFamily("code")

    /// Connections accepted, ever.
    let connectionsAccepted = Counter()

    /// Connections that ran out of time, by what they had time for.
    let timeouts = CounterFamily("phase")

    /// TLS handshakes that succeeded.
    let handshakes = Counter()

    /// TLS handshakes that did not.
    let handshakeFailures = CounterFamily("reason")

    /// Transactions, and looks of monitoring, that failed.
    let storageErrors = Counter()

    /// When decisions were last put on disk, in milliseconds since 1970; 0 for not yet.
    let committedAt = Counter()

    /// Certificates read anew.
    let certificateReloads = CounterFamily("result")

    /// Shows what alarms go by from the beginning on.
    init() {
        decisions.declare("released", "")
        decisions.declare("failed", "unavailable")
        for code in ["address_denied", "certificate_revoked", "device_revoked", "key_not_granted"] {
            decisions.declare("refused", code)
        }
        for path in ["/v1/enroll", "/v1/renew"] { certificateRequests.declare(path, "issued", "") }
        certificateRequests.declare("/v1/enroll", "refused", "token_refused")
        for code in ["token_refused", "rate_limited"] { tokensRefused.declare(code) }
        for phase in ["handshake", "request", "answer", "idle"] { timeouts.declare(phase) }
        for reason in ["no_certificate", "untrusted_certificate", "refused_by_peer", "closed"] {
            handshakeFailures.declare(reason)
        }
        for result in ["success", "failure"] { certificateReloads.declare(result) }
    }
}
