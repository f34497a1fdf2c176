internal import Cryptography
internal import Glibc
internal import Linux
internal import Logging
internal import Synchronization

/// Answers operators, one at a time, on a thread of its own.
final class OperatorDesk: Sendable {
    private let gate: StoreGate
    private let logger: Logger
    private let listener: LocalListener
    private let isStopped = Atomic(false)

    /// For how long a client may hold up the next.
    private static let requestSeconds = 5

    /// Listens.
    ///
    /// - Throws: ``KeyServerError/listen(address:reason:)``.
    init(_ directory: StateDirectory, gate: StoreGate, logger: Logger) throws(KeyServerError) {
        self.gate = gate
        self.logger = logger
        listener = try OperatorSocket.listen(in: directory)
    }

    /// Has ``run()`` return.
    func stop() {
        isStopped.store(true, ordering: .releasing)
        listener.shutDown()
    }

    /// Answers until ``stop()``.
    func run() {
        while !isStopped.load(ordering: .acquiring) {
            let deadline = gate.forgetAt ?? .now.advanced(by: .seconds(3600))
            do throws(Errno) {
                let number = listener.descriptor.rawValue
                if try Linux.Readiness.wait(for: number, .reading, until: deadline),
                    let peer = try listener.accept()
                {
                    answer(peer)
                }
            } catch {
                logger.error("No operator is answered any more", metadata: ["cause": "\(error)"])
                return
            }
            forgetWhatIsOver()
        }
    }

    private func forgetWhatIsOver() {
        do throws(KeyServerError) {
            guard try gate.forgetWhatIsOver() else { return }
            logger.warning("The shares that were given are forgotten: the time is over")
        } catch {
            logger.error("Not recorded", metadata: ["cause": "\(error)"])
        }
    }

    private func answer(_ peer: consuming AcceptedPeer) {
        // Read in any case: who is hung up on with a record unread may not see the answer.
        let request = Self.receive(from: peer)
        guard let credentials = peer.credentials,
            credentials.user == 0 || credentials.user == geteuid()
        else {
            logger.warning("Somebody else asked over the operator's socket")
            peer.send(Array("refused\nyou are not its operator".utf8))
            return
        }
        let answer: String
        do throws(KeyServerError) {
            guard let request else { throw .refused(reason: "it does not understand") }
            answer = "ok\n\(try respond(to: request, "uid \(credentials.user)"))"
        } catch .refused(let reason) {
            answer = "refused\n\(reason)"
        } catch {
            logger.warning("An operator's request is refused", metadata: ["cause": "\(error)"])
            answer = "refused\n\(error)"
        }
        peer.send(Array(answer.utf8))
    }

    private static func receive(from peer: borrowing AcceptedPeer) -> OperatorRequest? {
        let deadline = ContinuousClock.now.advanced(by: .seconds(requestSeconds))
        var count = 0
        let buffer = try? SecretBytes(count: OperatorRequest.maximumCount) {
            buffer throws(Errno) in
            count = try peer.receive(into: buffer, until: deadline)
        }
        guard let buffer, count <= buffer.count else { return nil }
        return OperatorRequest(buffer.slice(0..<count))
    }

    private func respond(
        to request: OperatorRequest,
        _ operator: String
    ) throws(KeyServerError) -> String {
        let wasOpen = gate.isOpen
        switch request {
        case .status: break
        case .sign:
            guard let checkpoint = try gate.signAudit() else { break }
            return "signed up to entry \(checkpoint.place.number) by key \(checkpoint.key)"
        case .share(let text): _ = try gate.add(share: text, by: `operator`)
        case .root(let text): _ = try gate.open(RootKey(text), by: `operator`)
        case .reset: try gate.reset(by: `operator`)
        case .seal: try gate.close(by: `operator`)
        }
        let standing = try gate.standing()
        if gate.isOpen != wasOpen {
            logger.notice(
                gate.isOpen ? "The store is open" : "The store is sealed",
                metadata: ["operator": "\(`operator`)"]
            )
        }
        return "\(standing)"
    }
}

extension StoreGate.Standing: CustomStringConvertible {
    /// One sentence for a person.
    var description: String {
        switch self {
        case .unused: "the store holds no keys"
        case .open: "the store is open"
        case .sealed: "the store is sealed, and wants its root key"
        case .collecting(let have, let set):
            "the store is sealed: \(have) of \(set.count.threshold) shares of set \(set.id)"
        }
    }
}
