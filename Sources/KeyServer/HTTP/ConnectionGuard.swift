internal import AccessRules
internal import Cryptography
internal import Glibc
internal import Logging
internal import NIOCore
internal import NIOHTTP1
internal import NIOHTTPTypes
internal import NIOTLS

/// Gives every phase of a connection an absolute end, says why connections fail, and wipes bodies.
///
/// A deadline runs from the connection's beginning to the last byte of its first request, TLS
/// handshake included; then to the last byte of the answer; then until the next request has come
/// whole. None is prolonged by bytes that trickle in.
final class ConnectionGuard: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private let limits: ServerLimits

    /// Whose connections these are; `nil` for monitoring's.
    private let admission: Admission?
    private let metrics: ServerMetrics
    private let logger: Logger

    /// What the first deadline is for: a connection without TLS begins with the request.
    private var firstPhase: String
    private var deadline: Scheduled<Void>?

    /// Requests begun and ended, and answers ended: several may come before the first is answered.
    private var (heads, ends, answers) = (0, 0, 0)

    init(limits: ServerLimits, admission: Admission?, metrics: ServerMetrics, logger: Logger) {
        self.limits = limits
        self.admission = admission
        self.metrics = metrics
        self.logger = logger
        firstPhase = admission == nil ? "request" : "handshake"
    }

    func handlerAdded(context: ChannelHandlerContext) {
        setDeadline(seconds: limits.requestSeconds, phase: nil, context: context)
    }

    func channelInactive(context: ChannelHandlerContext) {
        deadline?.cancel()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head:
            heads += 1
            setDeadline(seconds: limits.requestSeconds, phase: "request", context: context)
        case .body:
            break
        case .end:
            ends += 1
            if answers < heads {
                setDeadline(seconds: limits.requestSeconds, phase: "answer", context: context)
            } else {
                waitForNextRequest(context)
            }
        }
        context.fireChannelRead(data)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .handshakeCompleted = event as? TLSUserEvent {
            firstPhase = "request"
            acknowledgeAtOnce(context)
        }
        context.fireUserInboundEventTriggered(event)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head:
            context.write(data, promise: promise)
        case .body(let buffer):
            let written = promise ?? context.eventLoop.makePromise()
            written.futureResult.whenComplete { _ in Self.wipe(buffer) }
            context.write(data, promise: written)
        case .end:
            answers += 1
            if answers == heads, ends < heads {
                // Refused before it was whole: the rest is read for the client to see why.
                setDeadline(seconds: limits.lingerSeconds, phase: "request", context: context)
            } else {
                waitForNextRequest(context)
            }
            context.write(data, promise: promise)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if let reason = ConnectionFailure.tlsReason(of: error) {
            log("Connection refused", reason: reason, context: context, level: .notice)
        } else if error is HTTPParserError {
            if admission != nil { metrics.requests.add("other", "400") }
            log("Request rejected", reason: "\(error)", context: context, level: .notice)
        } else {
            log("Connection failed", reason: "\(error)", context: context, level: .debug)
        }
        context.fireErrorCaught(error)
    }

    /// Acknowledges the end of the handshake now instead of 40 ms later.
    ///
    /// BoringSSL says nothing more until it is written to, so no segment of ours carries the
    /// acknowledgement; and a client that has Nagle's algorithm on, as OpenSSL's and Python's do,
    /// holds its request back until it comes.
    private func acknowledgeAtOnce(_ context: ChannelHandlerContext) {
        let quickACK = NIOBSDSocket.Option(rawValue: TCP_QUICKACK)
        // Only costs time where it fails.
        try? context.channel.syncOptions?.setOption(ChannelOptions.tcpOption(quickACK), value: 1)
    }

    private func waitForNextRequest(_ context: ChannelHandlerContext) {
        let isCrowded = admission?.isCrowded ?? false
        setDeadline(
            seconds: isCrowded ? limits.crowdedIdleSeconds : limits.idleSeconds,
            phase: "idle",
            context: context
        )
    }

    private func setDeadline(seconds: Int, phase: String?, context: ChannelHandlerContext) {
        deadline?.cancel()
        let guarded = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        deadline = context.eventLoop.scheduleTask(in: .seconds(Int64(seconds))) {
            let (handler, context) = guarded.value
            let phase = phase ?? handler.firstPhase
            handler.metrics.timeouts.add(phase)
            // A connection that was merely kept open has done nothing wrong.
            handler.log(
                "Connection timed out",
                reason: phase,
                context: context,
                level: phase == "idle" ? .debug : .notice
            )
            context.close(promise: nil)
        }
    }

    private func log(
        _ message: Logger.Message,
        reason: String,
        context: ChannelHandlerContext,
        level: Logger.Level
    ) {
        let address = context.channel.clientAddress
        logger.log(
            level: level,
            message,
            metadata: ["address": "\(address?.description ?? "unknown")", "reason": "\(reason)"]
        )
    }

    /// Overwrites what a body held, in place, whoever else still refers to it.
    ///
    /// Runs once the bytes have been encrypted and written, or the connection is gone.
    private static func wipe(_ buffer: ByteBuffer) {
        let readable = buffer.readerIndex..<buffer.writerIndex
        buffer.withVeryUnsafeBytes { bytes in
            // The mutable accessors make a copy first where somebody else holds the buffer, and
            // the copy is what would be wiped. Nobody reads it any more: it has been sent.
            let memory = UnsafeRawBufferPointer(rebasing: bytes[readable])
            Wipe.zero(UnsafeMutableRawBufferPointer(mutating: memory))
        }
    }
}
