internal import KeyProtocol

/// What one peer may cost the server.
public struct ServerLimits: Equatable, Sendable {
    /// Longest request body, in bytes.
    public var bodyCount = UnlockLimits.maximumBodyCount

    /// All header fields of a request together, in bytes.
    public var headerCount = 16_384

    /// Header fields of a request.
    public var headerFields = 64

    /// Seconds from the connection's beginning, or the request's, to its last byte.
    ///
    /// Absolute: a byte now and then does not prolong it.
    public var requestSeconds = 10

    /// Seconds a connection may stay open between requests.
    public var idleSeconds = 30

    /// The same while three quarters of the connections that may be open are.
    public var crowdedIdleSeconds = 1

    /// Seconds that the rest of a request is read which has been answered already.
    public var lingerSeconds = 2

    /// Connections open at once; more wait in the kernel's queue.
    public var connections = 4096

    /// TLS handshakes under way at once; more wait in the kernel's queue.
    ///
    /// Enough for 500 new connections a second over half a second of network delay each, and few
    /// enough to be done in five seconds by a machine that does a hundred a second.
    public var handshakes = 512

    /// Connections the kernel queues up.
    public var backlog = 4096

    /// Seconds requests in progress get to finish after SIGTERM.
    public var drainSeconds = 10

    /// Seconds to go on as before after SIGTERM, while `/readyz` says that it is stopping.
    public var drainDelaySeconds = 0

    /// The default limits.
    public init() {}
}
