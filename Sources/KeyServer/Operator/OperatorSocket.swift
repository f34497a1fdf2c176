internal import Cryptography
internal import Glibc
internal import Linux

/// Where a running server is asked by its operator: a local socket in the state directory.
///
/// Mode 0600; and the kernel is asked who is at the other end.
public enum OperatorSocket {
    /// How long a server may take for an answer: a passphrase takes a second or two.
    private static let answerMilliseconds: Int64 = 60_000

    private static let answerCount = 4096

    /// The socket's path.
    static func path(in directory: StateDirectory) -> String {
        "\(directory.path)/operator.sock"
    }

    /// Asks the server of a state directory.
    ///
    /// - Returns: What it says, one sentence.
    /// - Throws: ``KeyServerError/noServer(socket:reason:)``; ``KeyServerError/refused(reason:)``.
    public static func ask(
        _ request: OperatorRequest,
        of directory: StateDirectory
    ) throws(KeyServerError) -> String {
        let answer: [UInt8]?
        do throws(Errno) {
            answer = try withName(in: directory) { name throws(Errno) in
                let connection = try LocalConnection(to: name, waiting: answerMilliseconds)
                try request.record.withUnsafeBytes { bytes throws(Errno) in
                    try connection.send(bytes)
                }
                return try connection.receive(limit: answerCount)
            }
        } catch {
            throw .noServer(socket: path(in: directory), reason: "\(error)")
        }
        let text = String(decoding: answer ?? [], as: UTF8.self)
        guard let end = text.firstIndex(of: "\n") else {
            throw .noServer(socket: path(in: directory), reason: "it did not answer")
        }
        let sentence = String(text[text.index(after: end)...])
        guard text[..<end] == "ok" else { throw .refused(reason: sentence) }
        return sentence
    }

    /// Listens; a socket that a server left behind when it was killed makes way.
    ///
    /// - Throws: ``KeyServerError/listen(address:reason:)``, also where another server listens.
    static func listen(in directory: StateDirectory) throws(KeyServerError) -> LocalListener {
        do throws(Errno) {
            return try withName(in: directory) { name throws(Errno) in
                do throws(Errno) {
                    return try LocalListener(named: name, backlog: 8, mode: 0o600)
                } catch .addressInUse {
                    try removeLeftBehind(path(in: directory), name)
                    return try LocalListener(named: name, backlog: 8, mode: 0o600)
                }
            }
        } catch {
            throw .listen(address: path(in: directory), reason: "\(error)")
        }
    }

    /// Takes the socket away, when nobody answers there any more.
    static func remove(from directory: StateDirectory) {
        unlink(path(in: directory))
    }

    private static func removeLeftBehind(_ path: String, _ name: LocalName) throws(Errno) {
        do throws(Errno) {
            _ = try LocalConnection(to: name, waiting: 1000)
        } catch .connectionRefused {
            unlink(path)
            return
        }
        throw .addressInUse
    }

    /// The socket's name, by way of the directory's descriptor where its path is too long for one.
    private static func withName<Result: ~Copyable>(
        in directory: StateDirectory,
        _ body: (LocalName) throws(Errno) -> Result
    ) throws(Errno) -> Result {
        if let name = LocalName(path: path(in: directory)) { return try body(name) }
        let number = try valueOrErrno { open(directory.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        let descriptor = OwnedDescriptor(takingOwnershipOf: number)
        let short = "/proc/self/fd/\(descriptor.rawValue)/operator.sock"
        guard let name = LocalName(path: short) else { throw .nameTooLong }
        let result = try body(name)
        _ = consume descriptor
        return result
    }
}
