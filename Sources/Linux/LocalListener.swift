internal import CLinux
internal import Glibc

/// A local socket that takes connections, each to be given one record.
///
/// The corresponding C functions are `socket` with `SOCK_SEQPACKET`, `bind` and `listen`.
public struct LocalListener: ~Copyable, Sendable {
    /// Readable when somebody has connected.
    public let descriptor: OwnedDescriptor

    /// Listens; neither inherited by exec nor blocking.
    ///
    /// - Parameters:
    ///   - name: Where.
    ///   - backlog: How many may wait to be taken; the next waits in its own `connect`.
    ///   - mode: Of the file, where the name is one's.
    /// - Throws: ``Errno/addressInUse`` where somebody else listens, or the file exists; what
    ///   `socket` left.
    public init(
        named name: LocalName,
        backlog: Int32,
        mode: UInt32? = nil
    ) throws(Errno) {
        let type = SOCK_SEQPACKET.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue
        let number = try valueOrErrno { socket(AF_UNIX, Int32(type), 0) }
        let descriptor = OwnedDescriptor(takingOwnershipOf: number)
        // The file gets the socket's mode as it is made: there is no moment with another.
        if let mode { _ = try valueOrErrno { fchmod(number, mode) } }
        _ = try valueOrErrno { name.withAddress { bind(number, $0, $1) } }
        _ = try valueOrErrno { listen(number, backlog) }
        self.descriptor = descriptor
    }

    /// Wakes who waits for a connection; from then on waiting ends at once, and nobody comes.
    ///
    /// The corresponding C function is `shutdown`.
    public borrowing func shutDown() {
        _ = shutdown(descriptor.rawValue, Int32(SHUT_RDWR))
    }

    /// Takes the connection that has waited longest.
    ///
    /// - Returns: Nil where there is none, or it is gone again.
    /// - Throws: What `accept` left: `EMFILE`, say, which does not go away by waiting.
    ///
    /// The corresponding C function is `accept4`.
    public borrowing func accept() throws(Errno) -> AcceptedPeer? {
        let listener = descriptor.rawValue
        do throws(Errno) {
            let number = try valueOrErrno { linux_accept(listener) }
            return AcceptedPeer(OwnedDescriptor(takingOwnershipOf: number))
        } catch .wouldBlock {
            return nil
        } catch  where error == .connectionAborted {
            return nil
        } catch {
            throw error
        }
    }
}

/// Who connected; disconnected when this goes.
public struct AcceptedPeer: ~Copyable {
    private let descriptor: OwnedDescriptor

    init(_ descriptor: consuming OwnedDescriptor) {
        self.descriptor = descriptor
    }

    /// Who it was when it connected; nil where the kernel does not say.
    public var credentials: PeerCredentials? {
        try? PeerCredentials(ofPeerOn: descriptor.rawValue)
    }

    /// Waits for its record.
    ///
    /// - Parameters:
    ///   - buffer: Filled from its start; of a longer record the rest is lost.
    ///   - deadline: When to give up.
    /// - Returns: The record's length in bytes, the lost part included; 0 where it closed the
    ///   connection without sending one.
    /// - Throws: ``Errno/timedOut`` at the deadline; what `recv` left.
    ///
    /// The corresponding C function is `recv` with `MSG_TRUNC`.
    public borrowing func receive(
        into buffer: UnsafeMutableRawBufferPointer,
        until deadline: ContinuousClock.Instant
    ) throws(Errno) -> Int {
        let number = descriptor.rawValue
        guard try Readiness.wait(for: number, .reading, until: deadline) else { throw .timedOut }
        let flags = Int32(MSG_DONTWAIT | MSG_TRUNC)
        return try valueOrErrno { recv(number, buffer.baseAddress, buffer.count, flags) }
    }

    /// Sends one record, or nothing where there is no room for all of it.
    ///
    /// It arrives although the connection is closed right after.
    ///
    /// The corresponding C function is `send` with `MSG_DONTWAIT` and `MSG_NOSIGNAL`.
    public consuming func send(_ record: [UInt8]) {
        let flags = Int32(MSG_DONTWAIT | MSG_NOSIGNAL)
        let number = descriptor.rawValue
        _ = record.withUnsafeBytes { Glibc.send(number, $0.baseAddress, $0.count, flags) }
    }
}

extension Errno {
    /// `EADDRINUSE`.
    public static var addressInUse: Errno { Errno(rawValue: EADDRINUSE) }
}
