internal import AccessRules
internal import HummingbirdCore
internal import HummingbirdTLS
internal import Logging
internal import NIOCore

/// A connection of the key listener: TCP, a proxy's header where it is a proxy's, TLS, HTTP/1.x.
struct MutualTLSChannel: ServerChildChannel {
    let base: TLSChannel<HTTP1Channel>
    let proxies: [CIDRBlock]
    let logger: Logger

    func setup(
        channel: any Channel,
        logger: Logger
    ) -> EventLoopFuture<TLSChannel<HTTP1Channel>.Value> {
        channel.eventLoop.submit {
            guard let peer = channel.remoteAddress.flatMap(IPAddress.init),
                proxies.contains(where: { $0.contains(peer) })
            else { return }
            let handler = ProxyProtocolHandler(logger: self.logger)
            try channel.pipeline.syncOperations.addHandler(handler, position: .first)
        }.flatMap {
            base.setup(channel: channel, logger: logger)
        }.flatMapThrowing { value in
            try CloseAfterHTTP10.install(in: channel)
            return value
        }
    }

    func handle(value: TLSChannel<HTTP1Channel>.Value, logger: Logger) async {
        await base.handle(value: value, logger: logger)
    }
}
