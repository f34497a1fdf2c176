internal import NIOCore
internal import NIOHTTP1
internal import NIOHTTPTypesHTTP1

/// Closes the connection after the answer to an HTTP/1.0 request, as RFC 9112 §9.3 has it.
///
/// The request's version is lost on the way to the responder, which goes by the field
/// `Connection` alone; so this adds the field.
final class CloseAfterHTTP10: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart

    /// Takes its place right behind the decoder.
    static func install(in channel: any Channel) throws {
        let pipeline = channel.pipeline.syncOperations
        let codec = try pipeline.handler(type: HTTP1ToHTTPServerCodec.self)
        try pipeline.addHandler(CloseAfterHTTP10(), position: .before(codec))
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .head(var head) = unwrapInboundIn(data), !head.isKeepAlive else {
            context.fireChannelRead(data)
            return
        }
        head.headers.replaceOrAdd(name: "connection", value: "close")
        context.fireChannelRead(wrapInboundOut(.head(head)))
    }
}
