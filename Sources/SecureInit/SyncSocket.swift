internal import Linux

/// Where `secure-init sync` asks: connecting is the question, and one record the answer, once what has
/// changed is stored.
///
/// As ``StatusSocket``, beside it: nothing is read from who asks.
final class SyncSocket {
    private var listener: LocalListener?
    /// Who waits for what is being stored; others wait in the socket's queue.
    private var asker: AcceptedPeer?

    /// Longest answer in bytes: whether all is well (1) ‖ text.
    static let maximumCount = 1 + StatusReport.maximumTextCount

    /// The socket of a supervisor: ``StatusSocket/name(process:namespace:)`` and `/sync`.
    static func name(process: Int32, namespace: UInt64) -> LocalName? {
        LocalName("secure-init/\(namespace)/\(process)/sync")
    }

    /// Readable when somebody asks, and nobody else is being answered.
    var descriptor: Int32? {
        guard asker == nil, let descriptor = listener?.descriptor.rawValue else { return nil }
        return descriptor
    }

    /// Begins to listen.
    func open() throws(Errno) { listener = try StatusSocket.listener(named: Self.name) }

    /// Stops; who waits is told what happens instead.
    func close() {
        listener = nil
        answer(isDone: false, "secure-init ends: what has changed is written back now")
    }

    /// Puts it on the list.
    func register(in waits: inout WaitList) {
        if let descriptor { waits.add(descriptor, .readable) }
    }

    /// Takes the next who asks.
    ///
    /// - Returns: Whether something is to be stored: it is somebody who may ask, root or the user
    ///   secure-init itself runs as.
    /// - Throws: Where nobody can be taken any more.
    func take() throws(Errno) -> Bool {
        guard let peer = try listener?.accept() else { return false }
        guard peer.credentials.flatMap(StatusReport.Reader.init) != nil else { return false }
        asker = consume peer
        return true
    }

    /// Answers who waits, if somebody does.
    func answer(isDone: Bool, _ text: String) {
        guard let peer = asker.take() else { return }
        let text = text.utf8.prefix(StatusReport.maximumTextCount)
        peer.send([isDone ? 0 : 1] + Array(text))
    }
}
