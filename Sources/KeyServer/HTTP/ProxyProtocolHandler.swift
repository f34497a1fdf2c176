internal import AccessRules
internal import Logging
internal import NIOCore

/// Reads what a proxy says of a connection before TLS begins, and takes it out of the stream.
///
/// Stands first on connections of listed proxies, and on no other: there the header is no TLS, and
/// ends the connection. A proxy that says nothing, or says that it does not know, leaves the
/// address unknown, which the policy refuses. See ADR 43.
final class ProxyProtocolHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private enum Progress {
        case reading(ByteBuffer)
        case read(source: IPAddress?)
        case failed
    }

    private var progress = Progress.reading(ByteBuffer())
    private let logger: Logger

    init(logger: Logger) {
        self.logger = logger
    }

    /// Where the connection came from, by the proxy's word.
    var source: IPAddress? {
        guard case .read(let source) = progress else { return nil }
        return source
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .reading(var buffer) = progress else {
            if case .read = progress { context.fireChannelRead(data) }
            return
        }
        progress = .failed
        var received = unwrapInboundIn(data)
        buffer.writeBuffer(&received)
        do throws(ProxyHeader.Malformed) {
            let header = try buffer.withUnsafeReadableBytes { bytes throws(ProxyHeader.Malformed) in
                try ProxyHeader(parsing: bytes)
            }
            guard let header else {
                progress = .reading(buffer)
                return
            }
            progress = .read(source: header.source)
            buffer.moveReaderIndex(forwardBy: header.count)
            guard buffer.readableBytes > 0 else { return }
            context.fireChannelRead(wrapInboundOut(buffer))
            context.fireChannelReadComplete()
        } catch {
            let address = context.channel.remoteAddress.flatMap(IPAddress.init)
            logger.notice(
                "Connection refused",
                metadata: [
                    "address": "\(address?.description ?? "unknown")",
                    "reason": "a proxy without a PROXY header",
                ]
            )
            context.close(promise: nil)
        }
    }
}

extension Channel {
    /// Where the client is, as far as the kernel or a listed proxy knows; `nil` where neither does.
    ///
    /// On the channel's event loop only.
    var clientAddress: IPAddress? {
        let handler = try? pipeline.syncOperations.handler(type: ProxyProtocolHandler.self)
        return handler.map(\.source) ?? remoteAddress.flatMap(IPAddress.init)
    }
}
