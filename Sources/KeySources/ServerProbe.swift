internal import Cryptography

/// Reaches a key server as a device would, without asking it for a key.
///
/// Name, connection, handshake with the device's certificate, and one request that no server has
/// an answer to but 404: so whatever would keep a device from its key shows, and no key is sent.
public struct ServerProbe: ~Copyable {
    private let server: ServerAddress
    private let context: TLSContext
    private let credentials: Credentials
    private let limits = TimeLimits()

    /// What was found.
    public struct Finding: Sendable, Equatable {
        /// The answer's status.
        public let status: Int

        /// The server's clock, as its `Date` field has it.
        public let date: String?
    }

    /// Loads the credentials.
    ///
    /// - Parameters:
    ///   - server: Whom to reach.
    ///   - credentials: What to show it, and what to trust it by.
    /// - Throws: ``FetchError/misconfigured(message:)``.
    public init(server: ServerAddress, credentials: Credentials) throws(FetchError) {
        self.server = server
        context = try TLSContext(credentials)
        self.credentials = credentials
    }

    /// Finds out whether credentials can be used at all: readable, and a pair.
    ///
    /// - Parameter credentials: What a device has.
    /// - Throws: ``FetchError/misconfigured(message:)``.
    public static func check(_ credentials: Credentials) throws(FetchError) {
        _ = try TLSContext(credentials)
    }

    /// Reaches the server once, within time limits.
    ///
    /// - Returns: What it answered.
    /// - Throws: ``FetchError``, worded as a device would word it.
    public borrowing func run() throws(FetchError) -> Finding {
        do throws(FetchFailure) {
            var connection = try TLSConnection.open(
                context,
                server: server,
                credentials: credentials,
                within: limits
            )
            let finding: Finding
            do throws(TLSConnection.Interruption) {
                finding = try exchange(over: &connection)
            } catch {
                switch error {
                case .timedOut: throw .answerTimedOut(seconds: limits.answer.shownSeconds)
                case .ended: throw .closedEarly
                case .lost(let errno): throw .connectionLost(errno)
                case .failed(let failure): throw failure
                }
            }
            connection.sayGoodbye()
            return finding
        } catch {
            throw error.fetchError(server: server.authority)
        }
    }

    private func exchange(
        over connection: inout TLSConnection
    ) throws(TLSConnection.Interruption) -> Finding {
        let deadline = ContinuousClock.now.advanced(by: limits.answer)
        let request =
            "GET \(server.path)/ HTTP/1.1\r\nHost: \(server.authority)\r\n"
            + "User-Agent: secure-store doctor\r\nConnection: close\r\n\r\n"
        let bytes = SecretBytes(copying: request.utf8)
        try bytes.withUnsafeBytes { bytes throws(TLSConnection.Interruption) in
            try connection.write(bytes, until: deadline)
        }
        var head = SecretBuffer(capacity: 16_384)
        while true {
            let text = head.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
            if let end = text.firstRange(of: "\r\n\r\n") {
                return try Self.finding(in: text[..<end.lowerBound])
            }
            guard head.count < head.capacity else { throw .failed(.headTooLong) }
            guard try connection.read(into: &head, until: deadline) > 0 else { throw .ended }
        }
    }

    private static func finding(
        in head: Substring
    ) throws(TLSConnection.Interruption) -> Finding {
        let lines = head.split(separator: "\r\n")
        guard let words = lines.first?.split(separator: " "), words.count >= 2,
            words[0].hasPrefix("HTTP/1."), let status = Int(words[1])
        else { throw .failed(.notHTTP) }
        let date = lines.dropFirst().first { $0.lowercased().hasPrefix("date:") }
        let value = date.map { $0.dropFirst("date:".count).drop(while: { $0 == " " }) }
        return Finding(status: status, date: value.map(String.init))
    }
}
