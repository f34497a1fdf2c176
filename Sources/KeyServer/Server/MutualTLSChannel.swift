internal import HummingbirdCore
internal import HummingbirdTLS
internal import Logging
internal import NIOCore
internal import NIOPosix

/// A connection of the key listener: TCP, TLS, HTTP/1.1, in that order.
struct MutualTLSChannel: ServerChildChannel {
    let base: TLSChannel<HTTP1Channel>

    func setup(
        channel: any Channel,
        logger: Logger
    ) -> EventLoopFuture<TLSChannel<HTTP1Channel>.Value> {
        channel.withoutDelay().flatMap { base.setup(channel: channel, logger: logger) }
    }

    func handle(value: TLSChannel<HTTP1Channel>.Value, logger: Logger) async {
        await base.handle(value: value, logger: logger)
    }
}

extension Channel {
    /// Sends small segments at once.
    ///
    /// TLS 1.3 sends its session tickets just before the first answer; with Nagle's algorithm on,
    /// the answer waits for their acknowledgement, which the client delays by 40 ms.
    func withoutDelay() -> EventLoopFuture<Void> {
        setOption(ChannelOptions.tcpOption(.tcp_nodelay), value: 1)
    }
}
