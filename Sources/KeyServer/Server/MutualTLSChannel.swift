internal import AccessRules
internal import HummingbirdCore
internal import Logging
internal import NIOCore
internal import NIOSSL

/// A connection of the key listener: TCP, a proxy's header where it is a proxy's, TLS, HTTP/1.x.
struct MutualTLSChannel: ServerChildChannel {
    let base: HTTP1Channel
    let certificates: LiveCertificates
    let admission: Admission
    let metrics: ServerMetrics
    let proxies: [CIDRBlock]
    let logger: Logger

    func setup(
        channel: any Channel,
        logger: Logger
    ) -> EventLoopFuture<HTTP1Channel.Value> {
        let turn = HandshakeTurn(admission: admission, metrics: metrics)
        admission.connectionOpened()
        metrics.connectionsAccepted.add()
        channel.closeFuture.whenComplete { [admission] _ in
            turn.end("closed")
            admission.connectionClosed()
        }
        return channel.eventLoop.submit {
            let pipeline = channel.pipeline.syncOperations
            let peer = channel.remoteAddress.flatMap(IPAddress.init)
            if let peer, proxies.contains(where: { $0.contains(peer) }) {
                try pipeline.addHandler(ProxyProtocolHandler(logger: self.logger))
            }
            let certificates = certificates.current()
            try pipeline.addHandlers([
                HandshakeBeginning(turn),
                NIOSSLServerHandler(
                    context: certificates.context,
                    customVerificationCallback: certificates.verification,
                    configuration: .init()
                ),
                HandshakeEnd(turn),
            ])
        }.flatMap {
            base.setup(channel: channel, logger: logger)
        }.flatMapThrowing { value in
            try RequestRules.install(in: channel)
            return value
        }
    }

    func handle(value: HTTP1Channel.Value, logger: Logger) async {
        await base.handle(value: value, logger: logger)
    }
}
