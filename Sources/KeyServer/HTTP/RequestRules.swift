internal import NIOCore
internal import NIOHTTP1
internal import NIOHTTPTypesHTTP1

/// Holds requests to what the decoder leaves to others: RFC 9112 §3.2 and §9.3.
///
/// A request must say once whom it is for, else it is malformed. After the answer to an HTTP/1.0
/// request, or one for another protocol, the connection is closed: that is lost on the way to the
/// responder, which goes by the field `Connection` alone, so this adds the field.
final class RequestRules: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart

    private var isBroken = false

    /// Takes its place right behind the decoder.
    static func install(in channel: any Channel) throws {
        let pipeline = channel.pipeline.syncOperations
        let codec = try pipeline.handler(type: HTTP1ToHTTPServerCodec.self)
        try pipeline.addHandler(RequestRules(), position: .before(codec))
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isBroken else { return }
        guard case .head(var head) = unwrapInboundIn(data) else {
            context.fireChannelRead(data)
            return
        }
        if head.version != .http1_0, head.headers["host"].count != 1 {
            // What comes after it is nobody's request any more.
            isBroken = true
            context.fireErrorCaught(HTTPParserError.invalidHeaderToken)
            return
        }
        // The decoder takes what follows these for another protocol, and reads it no more.
        let isLast = head.method == .CONNECT || head.headers.contains(name: "upgrade")
        if isLast || !head.isKeepAlive {
            head.headers.replaceOrAdd(name: "connection", value: "close")
        }
        context.fireChannelRead(wrapInboundOut(.head(head)))
    }
}
