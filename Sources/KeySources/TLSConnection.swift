internal import COpenSSL
internal import Cryptography
internal import Linux

/// A TLS connection to one server, with a deadline for everything it does.
///
/// OpenSSL works on two memory buffers of ciphertext, and the bytes are carried between those and
/// the socket here: so a deadline holds whatever trickles in, a closed connection raises no
/// `SIGPIPE`, and the first bytes of a server that does not speak TLS can be looked at.
///
/// C: `SSL`.
struct TLSConnection: ~Copyable {
    private let connection: OpaquePointer
    // Owned by the connection.
    private let incoming: OpaquePointer
    private let outgoing: OpaquePointer
    private let socket: StreamSocket
    private let record: VerificationRecord
    private let showsCertificate: Bool
    private var firstBytes: [UInt8] = []
    private var sendFailure: Errno?

    private enum Phase {
        case handshake
        case exchange
    }

    /// Connects and shakes hands; afterwards the server is who it should be.
    ///
    /// A server that refuses our certificate under TLS 1.3 says so only after this, in the answer
    /// to what is written first.
    ///
    /// - Parameters:
    ///   - context: Credentials and trust.
    ///   - server: Whose name or address the certificate has to hold.
    ///   - credentials: What the context was made of.
    ///   - limits: How long connection and handshake may take.
    /// - Returns: The connection, ready to be written to.
    /// - Throws: ``FetchFailure``.
    ///
    /// C: `SSL_do_handshake`.
    static func open(
        _ context: borrowing TLSContext,
        server: ServerAddress,
        credentials: Credentials,
        within limits: TimeLimits
    ) throws(FetchFailure) -> TLSConnection {
        var connection = try TLSConnection(
            context,
            server: server,
            socket: try server.connect(within: limits.connect),
            credentials: credentials
        )
        try connection.handshake(for: limits.handshake)
        return connection
    }

    /// Prepares a connection; nothing is sent yet.
    ///
    /// - Throws: ``FetchFailure/tls(reason:)`` for want of memory.
    ///
    /// C: `SSL_set1_host`, `X509_VERIFY_PARAM_set1_ip_asc`, `SSL_set_tlsext_host_name`.
    private init(
        _ context: borrowing TLSContext,
        server: ServerAddress,
        socket: consuming StreamSocket,
        credentials: Credentials
    ) throws(FetchFailure) {
        let connection = try context.makeConnection()
        let record = VerificationRecord(
            host: server.host,
            trustsOwn: credentials.trustsOwn
        )
        guard let incoming = BIO_new(BIO_s_mem()), let outgoing = BIO_new(BIO_s_mem()) else {
            SSL_free(connection)
            throw .tls(reason: OpenSSLFailure.drained().text)
        }
        SSL_set_bio(connection, incoming, outgoing)
        let isBound: Bool
        if server.isNumeric {
            isBound =
                X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(connection), server.host) == 1
        } else {
            isBound =
                SSL_set1_host(connection, server.host) == 1
                && server.host.withCString { name in
                    SSL_ctrl(
                        connection,
                        SSL_CTRL_SET_TLSEXT_HOSTNAME,
                        Int(TLSEXT_NAMETYPE_host_name),
                        UnsafeMutableRawPointer(mutating: name)
                    )
                } == 1
        }
        SSL_set_hostflags(connection, UInt32(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS))
        // Without the name there is no check of it: then rather no connection.
        guard isBound, record.attach(to: connection) else {
            SSL_free(connection)
            throw .tls(reason: OpenSSLFailure.drained().text)
        }
        SSL_set_connect_state(connection)
        self.connection = connection
        self.incoming = incoming
        self.outgoing = outgoing
        self.socket = socket
        self.record = record
        showsCertificate = credentials.certificate != nil
    }

    deinit {
        SSL_free(connection)
    }

    private mutating func handshake(for duration: Duration) throws(FetchFailure) {
        let deadline = ContinuousClock.now.advanced(by: duration)
        do throws(Interruption) {
            _ = try perform(.handshake, until: deadline) { SSL_do_handshake($0) }
        } catch {
            switch error {
            case .timedOut: throw .handshakeTimedOut(seconds: duration.shownSeconds)
            case .ended: throw .closedInHandshake
            case .lost(let errno): throw .connectionLost(errno)
            case .failed(let failure): throw failure
            }
        }
    }

    /// Sends all of the bytes.
    ///
    /// C: `SSL_write`.
    mutating func write(
        _ bytes: UnsafeRawBufferPointer,
        until deadline: ContinuousClock.Instant
    ) throws(Interruption) {
        // One call takes all: partial writes are off, and the buffer below grows as it must.
        guard !bytes.isEmpty, let count = Int32(exactly: bytes.count) else { return }
        _ = try perform(.exchange, until: deadline) { SSL_write($0, bytes.baseAddress, count) }
    }

    /// Receives what there is, waiting for something to be.
    ///
    /// - Parameters:
    ///   - buffer: With room for at least a byte.
    ///   - deadline: When to give up.
    /// - Returns: The number of bytes; 0 when the server has closed the connection.
    /// - Throws: ``Interruption``, but never for the end.
    ///
    /// C: `SSL_read`.
    mutating func read(
        into buffer: inout SecretBuffer,
        until deadline: ContinuousClock.Instant
    ) throws(Interruption) -> Int {
        try buffer.append(reading: { free throws(Interruption) in
            let count = Int32(clamping: free.count)
            do throws(Interruption) {
                return try perform(.exchange, until: deadline) {
                    SSL_read($0, free.baseAddress, count)
                }
            } catch .ended {
                return 0
            } catch {
                throw error
            }
        })
    }

    /// Why an operation did not come to its end.
    enum Interruption: Error {
        case timedOut
        case ended
        case lost(Errno)
        case failed(FetchFailure)
    }

    /// Says that nothing more will come, as far as that goes without waiting.
    ///
    /// C: `SSL_shutdown`.
    mutating func sayGoodbye() {
        ERR_clear_error()
        _ = SSL_shutdown(connection)
        ERR_clear_error()
        try? flush(until: ContinuousClock.now)
    }

    // MARK: Carrying bytes

    /// Runs an operation as often as it takes.
    private mutating func perform(
        _ phase: Phase,
        until deadline: ContinuousClock.Instant,
        _ operation: (OpaquePointer) -> Int32
    ) throws(Interruption) -> Int {
        while true {
            ERR_clear_error()
            let result = operation(connection)
            let code = result > 0 ? SSL_ERROR_NONE : SSL_get_error(connection, result)
            let failure = OpenSSLFailure.drained()
            try flush(until: deadline)
            switch code {
            case SSL_ERROR_NONE: return Int(result)
            case SSL_ERROR_WANT_READ: try receive(until: deadline)
            case SSL_ERROR_WANT_WRITE: continue
            case SSL_ERROR_ZERO_RETURN: throw .ended
            default: throw .failed(explain(failure, phase))
            }
        }
    }

    private mutating func flush(until deadline: ContinuousClock.Instant) throws(Interruption) {
        try Self.withBuffer { buffer throws(Interruption) in
            while BIO_ctrl_pending(outgoing) > 0 {
                let count = BIO_read(outgoing, buffer.baseAddress, Int32(buffer.count))
                guard count > 0 else { return }
                // What cannot be sent any more is dropped: why, the server has perhaps said before
                // it closed, and that is read next.
                guard sendFailure == nil else { continue }
                do throws(Errno) {
                    try socket.send(
                        UnsafeRawBufferPointer(rebasing: buffer[..<Int(count)]),
                        until: deadline
                    )
                } catch .timedOut {
                    throw .timedOut
                } catch {
                    sendFailure = error
                }
            }
        }
    }

    private mutating func receive(until deadline: ContinuousClock.Instant) throws(Interruption) {
        try Self.withBuffer { buffer throws(Interruption) in
            let count: Int
            do throws(Errno) {
                count = try socket.receive(into: buffer, until: deadline)
            } catch .timedOut {
                throw .timedOut
            } catch {
                throw .lost(error)
            }
            guard count > 0 else {
                if let sendFailure { throw .lost(sendFailure) }
                throw .ended
            }
            let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<count])
            firstBytes += bytes.prefix(5 - min(5, firstBytes.count))
            guard BIO_write(incoming, bytes.baseAddress, Int32(count)) == Int32(count) else {
                throw .failed(.tls(reason: OpenSSLFailure.drained().text))
            }
        }
    }

    /// Room for the largest record, of ciphertext only.
    private static func withBuffer(
        _ body: (UnsafeMutableRawBufferPointer) throws(Interruption) -> Void
    ) throws(Interruption) {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 17_408, alignment: 16)
        defer { buffer.deallocate() }
        try body(buffer)
    }

    // MARK: Saying why

    private func explain(_ failure: OpenSSLFailure, _ phase: Phase) -> FetchFailure {
        if let fault = record.fault { return .serverCertificate(fault) }
        if let alert = failure.alert { return explain(alert: alert) }
        if phase == .handshake, let first = firstBytes.first, !(20...23).contains(first) {
            let isHTTP = firstBytes.elementsEqual("HTTP/".utf8) || first == UInt8(ascii: "<")
            return isHTTP ? .plainHTTP : .notTLS
        }
        let versions = [
            SSL_R_UNSUPPORTED_PROTOCOL, SSL_R_VERSION_TOO_LOW, SSL_R_VERSION_TOO_HIGH,
            SSL_R_WRONG_SSL_VERSION, SSL_R_WRONG_VERSION_NUMBER,
        ]
        if versions.contains(where: { failure.has($0) }) { return .noCommonVersion }
        return .tls(reason: failure.text)
    }

    /// RFC 8446 §6.2: which alerts are about the certificate of the side that gets them.
    private func explain(alert: Int32) -> FetchFailure {
        let name = String(cString: SSL_alert_desc_string_long(alert))
        switch alert {
        case SSL_AD_PROTOCOL_VERSION:
            return .noCommonVersion
        case SSL_AD_CERTIFICATE_REQUIRED:
            return .clientCertificateWanted
        case SSL_AD_BAD_CERTIFICATE, SSL_AD_UNSUPPORTED_CERTIFICATE, SSL_AD_CERTIFICATE_REVOKED,
            SSL_AD_CERTIFICATE_EXPIRED, SSL_AD_CERTIFICATE_UNKNOWN, SSL_AD_UNKNOWN_CA,
            SSL_AD_ACCESS_DENIED:
            return showsCertificate
                ? .clientCertificateRefused(reason: name) : .clientCertificateWanted
        default:
            return .alert(name)
        }
    }
}
