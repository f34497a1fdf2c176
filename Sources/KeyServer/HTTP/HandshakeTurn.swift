internal import NIOCore
internal import NIOTLS
internal import Synchronization

/// A connection's TLS handshake, as ``Admission`` and monitoring count it.
final class HandshakeTurn: Sendable {
    private enum State {
        static let waiting = 0, begun = 1, over = 2
    }

    private let state = Atomic(State.waiting)
    private let admission: Admission
    private let metrics: ServerMetrics

    init(admission: Admission, metrics: ServerMetrics) {
        self.admission = admission
        self.metrics = metrics
    }

    /// The first byte has come.
    func begin() {
        let (exchanged, _) = state.compareExchange(
            expected: State.waiting,
            desired: State.begun,
            ordering: .relaxed
        )
        if exchanged { admission.handshakeBegan() }
    }

    /// It has come to its end; only the first word counts.
    ///
    /// - Parameter failure: The kind of failure; `nil` for success.
    func end(_ failure: String?) {
        let before = state.exchange(State.over, ordering: .relaxed)
        guard before != State.over else { return }
        if before == State.begun { admission.handshakeEnded() }
        if let failure {
            metrics.handshakeFailures.add(failure)
        } else {
            metrics.handshakes.add()
        }
    }
}

/// Sees the handshake begin: stands before TLS, and leaves with the first byte.
final class HandshakeBeginning: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer

    private let turn: HandshakeTurn

    init(_ turn: HandshakeTurn) {
        self.turn = turn
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        turn.begin()
        context.fireChannelRead(data)
        context.pipeline.syncOperations.removeHandler(self, promise: nil)
    }
}

/// Sees it end: stands behind TLS, and leaves after the handshake.
final class HandshakeEnd: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer

    private let turn: HandshakeTurn

    init(_ turn: HandshakeTurn) {
        self.turn = turn
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        context.fireUserInboundEventTriggered(event)
        guard case .handshakeCompleted = event as? TLSUserEvent else { return }
        turn.end(nil)
        context.pipeline.syncOperations.removeHandler(self, promise: nil)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        turn.end(ConnectionFailure.handshakeKind(of: error))
        context.fireErrorCaught(error)
    }
}
