/// How long the parts of one attempt may take.
///
/// Looking the name up is limited by the system's resolver (`/etc/resolv.conf`).
struct TimeLimits: Sendable {
    /// All addresses of the host together.
    var connect = Duration.seconds(10)

    /// From the first byte to the end of the handshake.
    var handshake = Duration.seconds(10)

    /// From the request to the last byte of the answer, whatever trickles in meanwhile.
    var answer = Duration.seconds(20)
}

extension Duration {
    /// Whole seconds as a message shows them, at least 1.
    var shownSeconds: Int { max(1, Int(components.seconds)) }
}
