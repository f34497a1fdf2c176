internal import Logging
internal import NIOCore
internal import Synchronization

/// When another connection may be accepted, by how many are open and what they are about.
///
/// Handshakes are nearly all the work there is, and those that are under way share the processors:
/// with thousands of them each takes longer than it may, and all that work is for nothing. So only
/// so many are begun, and who comes later waits in the kernel's queue, where waiting is free. A
/// connection counts from its first byte: one that says nothing costs nothing. See ADR 51.
final class Admission: Sendable {
    let limits: ServerLimits

    private let open = Counter()
    private let handshaking = Counter()
    private let isSuspended = Atomic(false)
    private let listener = Mutex<(@Sendable () -> Void)?>(nil)
    private let warnedAt = Atomic<UInt64>(0)
    private let logger: Logger

    init(limits: ServerLimits, logger: Logger) {
        self.limits = limits
        self.logger = logger
    }

    /// Connections that are open.
    var openCount: Int { open.value }

    /// Handshakes under way.
    var handshakeCount: Int { handshaking.value }

    /// Whether connections are becoming few: then none is kept long for a request that may come.
    var isCrowded: Bool { open.value >= limits.connections - limits.connections / 4 }

    /// Whether to accept; where not, the listener is woken when that changes.
    func mayAccept() -> Bool {
        if hasRoom { return true }
        isSuspended.store(true, ordering: .sequentiallyConsistent)
        // Room may have been made before anybody could see that somebody waits.
        if hasRoom, isSuspended.exchange(false, ordering: .sequentiallyConsistent) { return true }
        if openCount >= limits.connections { warn() }
        return false
    }

    /// Says how to wake the listener.
    func setListener(_ wake: @escaping @Sendable () -> Void) {
        listener.withLock { $0 = wake }
    }

    func connectionOpened() { open.add() }

    func connectionClosed() {
        open.add(-1)
        wakeListener()
    }

    func handshakeBegan() { handshaking.add() }

    func handshakeEnded() {
        handshaking.add(-1)
        wakeListener()
    }

    private var hasRoom: Bool {
        open.value < limits.connections && handshaking.value < limits.handshakes
    }

    private func wakeListener() {
        guard isSuspended.load(ordering: .sequentiallyConsistent), hasRoom,
            isSuspended.exchange(false, ordering: .sequentiallyConsistent)
        else { return }
        listener.withLock { $0 }?()
    }

    /// Once a minute at most.
    private func warn() {
        let now = NIODeadline.now().uptimeNanoseconds
        let last = warnedAt.load(ordering: .relaxed)
        guard last == 0 || now - last > 60_000_000_000 else { return }
        warnedAt.store(now, ordering: .relaxed)
        logger.warning(
            "As many connections as may be are open; others wait",
            metadata: ["limit": "\(limits.connections)"]
        )
    }
}

/// Holds the listener back while ``Admission`` says so.
final class AdmissionHandler: ChannelDuplexHandler {
    typealias InboundIn = any Channel
    typealias OutboundIn = Never

    private let admission: Admission

    init(_ admission: Admission) {
        self.admission = admission
    }

    func handlerAdded(context: ChannelHandlerContext) {
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        let loop = context.eventLoop
        admission.setListener {
            loop.execute { bound.value.read() }
        }
    }

    func read(context: ChannelHandlerContext) {
        if admission.mayAccept() { context.read() }
    }
}
