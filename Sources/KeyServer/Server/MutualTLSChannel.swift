internal import HummingbirdCore
internal import HummingbirdTLS
internal import Logging
internal import NIOCore

/// A connection of the key listener: TCP, TLS, HTTP/1.x, in that order.
struct MutualTLSChannel: ServerChildChannel {
    let base: TLSChannel<HTTP1Channel>

    func setup(
        channel: any Channel,
        logger: Logger
    ) -> EventLoopFuture<TLSChannel<HTTP1Channel>.Value> {
        base.setup(channel: channel, logger: logger).flatMapThrowing { value in
            try CloseAfterHTTP10.install(in: channel)
            return value
        }
    }

    func handle(value: TLSChannel<HTTP1Channel>.Value, logger: Logger) async {
        await base.handle(value: value, logger: logger)
    }
}
