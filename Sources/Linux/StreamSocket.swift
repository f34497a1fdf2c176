internal import Glibc

/// A TCP connection that never waits longer than it is told to.
public struct StreamSocket: ~Copyable {
    private let descriptor: OwnedDescriptor

    /// Connects.
    ///
    /// - Parameters:
    ///   - address: Where to.
    ///   - deadline: When to give up.
    /// - Throws: ``Errno/timedOut`` at the deadline; what `socket` or `connect` left.
    ///
    /// The corresponding C function is `connect`.
    public init(
        connectingTo address: InternetAddress,
        until deadline: ContinuousClock.Instant
    ) throws(Errno) {
        let type = SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue
        let descriptor = OwnedDescriptor(
            takingOwnershipOf: try valueOrErrno { socket(address.family, Int32(type), 0) }
        )
        try Self.connect(descriptor.rawValue, to: address, until: deadline)
        self.descriptor = descriptor
    }

    private static func connect(
        _ number: Int32,
        to address: InternetAddress,
        until deadline: ContinuousClock.Instant
    ) throws(Errno) {
        var storage = address.storage
        let count = address.count
        let result = withUnsafeMutablePointer(to: &storage) { storage in
            storage.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(number, $0, count)
            }
        }
        if result == 0 { return }
        // Interrupted or not, the kernel goes on connecting.
        let errno = Errno.current
        guard errno == .inProgress || errno == .interrupted else { throw errno }
        guard try Readiness.wait(for: number, .writing, until: deadline) else { throw .timedOut }
        var code: Int32 = 0
        var codeCount = socklen_t(MemoryLayout<Int32>.size)
        _ = try valueOrErrno { getsockopt(number, SOL_SOCKET, SO_ERROR, &code, &codeCount) }
        guard code == 0 else { throw Errno(rawValue: code) }
    }

    /// Sends all of the bytes; a connection the other side has closed raises no signal.
    ///
    /// - Parameters:
    ///   - bytes: Any number.
    ///   - deadline: When to give up.
    /// - Throws: ``Errno/timedOut`` at the deadline; what `send` left.
    ///
    /// The corresponding C function is `send` with `MSG_NOSIGNAL`.
    public borrowing func send(
        _ bytes: UnsafeRawBufferPointer,
        until deadline: ContinuousClock.Instant
    ) throws(Errno) {
        let number = descriptor.rawValue
        var rest = bytes[...]
        while !rest.isEmpty {
            let part = UnsafeRawBufferPointer(rebasing: rest)
            do throws(Errno) {
                let sent = try valueOrErrno {
                    Glibc.send(number, part.baseAddress, part.count, Int32(MSG_NOSIGNAL))
                }
                rest = rest.dropFirst(sent)
            } catch .wouldBlock {
                guard try Readiness.wait(for: number, .writing, until: deadline) else {
                    throw .timedOut
                }
            }
        }
    }

    /// Receives what is there, waiting for something to be.
    ///
    /// - Parameters:
    ///   - buffer: Filled from its start; not empty.
    ///   - deadline: When to give up.
    /// - Returns: The number of bytes; 0 when the other side has closed.
    /// - Throws: ``Errno/timedOut`` at the deadline; what `recv` left.
    ///
    /// The corresponding C function is `recv`.
    public borrowing func receive(
        into buffer: UnsafeMutableRawBufferPointer,
        until deadline: ContinuousClock.Instant
    ) throws(Errno) -> Int {
        let number = descriptor.rawValue
        while true {
            // Asked first: bytes that keep coming must not carry the exchange past its deadline.
            guard ContinuousClock.now < deadline else { throw .timedOut }
            do throws(Errno) {
                return try valueOrErrno { recv(number, buffer.baseAddress, buffer.count, 0) }
            } catch .wouldBlock {
                guard try Readiness.wait(for: number, .reading, until: deadline) else {
                    throw .timedOut
                }
            }
        }
    }
}

extension Errno {
    /// `EINPROGRESS`.
    static var inProgress: Errno { Errno(rawValue: EINPROGRESS) }
    /// `ETIMEDOUT`.
    public static var timedOut: Errno { Errno(rawValue: ETIMEDOUT) }
    /// `ECONNREFUSED`.
    public static var connectionRefused: Errno { Errno(rawValue: ECONNREFUSED) }
    /// `ENETUNREACH`.
    public static var networkUnreachable: Errno { Errno(rawValue: ENETUNREACH) }
    /// `EADDRNOTAVAIL`.
    public static var addressNotAvailable: Errno { Errno(rawValue: EADDRNOTAVAIL) }
    /// `EAFNOSUPPORT`.
    public static var addressFamilyNotSupported: Errno { Errno(rawValue: EAFNOSUPPORT) }
}
