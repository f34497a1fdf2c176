internal import CLinux
internal import Glibc

/// A connection to a ``LocalListener``.
public struct LocalConnection: ~Copyable {
    private let descriptor: OwnedDescriptor

    /// Who listens; taken when it began to.
    public let credentials: PeerCredentials

    /// Connects.
    ///
    /// - Parameters:
    ///   - name: Whereto.
    ///   - milliseconds: How long to wait for a place in its queue, and later for its record; 1 at
    ///     least.
    /// - Throws: ``Errno/connectionRefused`` where nobody listens; ``Errno/wouldBlock`` when the
    ///   time is over.
    ///
    /// The corresponding C function is `connect`, with `SO_SNDTIMEO` and `SO_RCVTIMEO`.
    public init(to name: LocalName, waiting milliseconds: Int64) throws(Errno) {
        let type = SOCK_SEQPACKET.rawValue | SOCK_CLOEXEC.rawValue
        let number = try valueOrErrno { socket(AF_UNIX, Int32(type), 0) }
        let descriptor = OwnedDescriptor(takingOwnershipOf: number)
        // Nothing at all would mean for ever.
        let milliseconds = max(milliseconds, 1)
        var limit = timeval(
            tv_sec: time_t(milliseconds / 1000),
            tv_usec: suseconds_t(milliseconds % 1000 * 1000)
        )
        for option in [SO_SNDTIMEO, SO_RCVTIMEO] {
            let count = socklen_t(MemoryLayout<timeval>.size)
            _ = try valueOrErrno { setsockopt(number, SOL_SOCKET, option, &limit, count) }
        }
        _ = try valueOrErrno { name.withAddress { connect(number, $0, $1) } }
        credentials = try PeerCredentials(ofPeerOn: number)
        self.descriptor = descriptor
    }

    /// Sends a record.
    ///
    /// - Throws: ``Errno/wouldBlock`` when the time is over; what `send` left.
    ///
    /// The corresponding C function is `send` with `MSG_NOSIGNAL`.
    public borrowing func send(_ record: UnsafeRawBufferPointer) throws(Errno) {
        let number = descriptor.rawValue
        _ = try valueOrErrno {
            Glibc.send(number, record.baseAddress, record.count, Int32(MSG_NOSIGNAL))
        }
    }

    /// Waits for its record.
    ///
    /// - Parameter limit: Longest record in bytes; a longer one is cut off.
    /// - Returns: Nil where it closed the connection without sending one.
    /// - Throws: ``Errno/wouldBlock`` when the time is over; what `recv` left.
    ///
    /// The corresponding C function is `recv`.
    public borrowing func receive(limit: Int) throws(Errno) -> [UInt8]? {
        let number = descriptor.rawValue
        var record = [UInt8](repeating: 0, count: limit)
        let count = try valueOrErrno {
            record.withUnsafeMutableBytes { recv(number, $0.baseAddress, $0.count, 0) }
        }
        return count == 0 ? nil : Array(record[..<count])
    }
}
