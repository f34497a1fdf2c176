internal import Linux

/// The question to a running supervisor, which is told from an impostor by what the kernel knows of
/// it.
struct StatusQuestion {
    private let deadline: Instant

    /// - Parameter patience: Milliseconds after which no answer is one.
    init(patience: Int64) {
        deadline = .now.advanced(byMilliseconds: patience)
    }

    /// Asks how it is.
    func ask() throws(InquiryError) -> StatusReport {
        try ask(StatusSocket.name, limit: StatusReport.maximumCount) { StatusReport(record: $0) }
    }

    /// Has what has changed in a view stored.
    ///
    /// - Returns: Whether all was, and a few words.
    func sync() throws(InquiryError) -> (isDone: Bool, text: String) {
        try ask(SyncSocket.name, limit: SyncSocket.maximumCount) { record in
            guard let first = record.first else { return nil }
            return (first == 0, String(decoding: record.dropFirst(), as: UTF8.self))
        }
    }

    /// Asks process 1, or where that is none of ours (`docker run --init`), the one with the lowest
    /// number.
    private func ask<Report>(
        _ socketName: (Int32, UInt64) -> LocalName?,
        limit: Int,
        _ decode: ([UInt8]) -> Report?
    ) throws(InquiryError) -> Report {
        let namespace: UInt64
        do throws(Errno) {
            namespace = try CurrentProcess.pidNamespace()
        } catch {
            throw .system("cannot read /proc/self/ns/pid", error)
        }
        var failure = InquiryError.nobody
        for process in [1] + others {
            guard let name = socketName(process, namespace) else { continue }
            do throws(InquiryError) {
                return try ask(process, name, limit: limit, decode)
            } catch .nobody {
                continue
            } catch .impostor {
                // Whoever sits there, the real one may have another number.
                failure = .impostor
            } catch {
                throw error
            }
        }
        throw failure
    }

    private var others: [Int32] {
        let own = CurrentProcess.id
        return ((try? ProcessTable.processes()) ?? []).filter { $0 != 1 && $0 != own }.sorted()
    }

    private func ask<Report>(
        _ process: Int32,
        _ name: LocalName,
        limit: Int,
        _ decode: ([UInt8]) -> Report?
    ) throws(InquiryError) -> Report {
        let answer: Answer
        do throws(Errno) {
            answer = try exchange(with: process, name, limit: limit)
        } catch .connectionRefused {
            throw .nobody
        } catch .wouldBlock {
            throw .silent
        } catch {
            throw .system("cannot ask secure-init", error)
        }
        switch answer {
        case .impostor: throw .impostor
        case .silence: throw .notPermitted(user: CurrentProcess.effectiveUser)
        case .record(let record):
            guard let report = decode(record) else { throw .impostor }
            return report
        }
    }

    private enum Answer {
        case record([UInt8])
        /// It hung up.
        case silence
        /// It is not the process whose name it uses.
        case impostor
    }

    private func exchange(
        with process: Int32,
        _ name: LocalName,
        limit: Int
    ) throws(Errno) -> Answer {
        let connection = try LocalConnection(
            to: name,
            waiting: deadline.milliseconds(since: .now)
        )
        let peer = connection.credentials
        // Process 1 is not for anybody to be. Any other number could be the app's, but not as root.
        guard
            peer.process == process,
            process == 1 || peer.user == 0 || peer.user == CurrentProcess.effectiveUser
        else { return .impostor }
        guard let record = try connection.receive(limit: limit) else {
            return .silence
        }
        return .record(record)
    }
}
