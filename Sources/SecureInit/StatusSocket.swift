internal import Linux

/// Where the supervisor is asked how it is: a local socket named after its pid namespace and its
/// process id, so that two of them on one network cannot be mistaken for one another.
///
/// Decisions: `docs/decisions/0023-status-by-an-abstract-socket.md`.
final class StatusSocket {
    private var listener: LocalListener?

    /// How many askers may wait to be answered.
    private static let backlog: Int32 = 16

    /// The socket of a supervisor.
    ///
    /// - Parameters:
    ///   - process: Its process id.
    ///   - namespace: Its pid namespace.
    /// - Returns: Nil never, for numbers are short enough.
    static func name(process: Int32, namespace: UInt64) -> LocalName? {
        LocalName("secure-init/\(namespace)/\(process)")
    }

    /// Readable when somebody asks.
    var descriptor: Int32? {
        if let descriptor = listener?.descriptor.rawValue { descriptor } else { nil }
    }

    /// Begins to listen.
    func open() throws(Errno) { listener = try Self.listener(named: Self.name) }

    /// Listens by the name of a socket of this process.
    static func listener(named name: (Int32, UInt64) -> LocalName?) throws(Errno) -> LocalListener {
        guard let name = name(CurrentProcess.id, try CurrentProcess.pidNamespace()) else {
            throw .invalidArgument
        }
        return try LocalListener(named: name, backlog: backlog)
    }

    /// Stops.
    func close() {
        listener = nil
    }

    /// Puts it on the list.
    func register(in waits: inout WaitList) {
        if let descriptor { waits.add(descriptor, .readable) }
    }

    /// Gives one asker its answer, and takes leave of it.
    ///
    /// - Parameter report: Asked for where there is somebody who may see it.
    /// - Throws: Where nobody can be answered any more.
    func answer(_ report: () -> StatusReport) throws(Errno) {
        guard let peer = try listener?.accept() else { return }
        guard let reader = peer.credentials.flatMap(StatusReport.Reader.init) else { return }
        peer.send(report().redacted(for: reader).record)
    }
}
