internal import Linux

/// The question to a running supervisor, which is told from an impostor by what the kernel knows of
/// it.
struct StatusQuestion {
    private let deadline: Instant

    /// - Parameter patience: Milliseconds after which no answer is one.
    init(patience: Int64) {
        deadline = .now.advanced(byMilliseconds: patience)
    }

    /// Asks process 1, or where that is none of ours (`docker run --init`), the one with the lowest
    /// number.
    func ask() throws(InquiryError) -> StatusReport {
        let namespace: UInt64
        do throws(Errno) {
            namespace = try CurrentProcess.pidNamespace()
        } catch {
            throw .system("cannot read /proc/self/ns/pid", error)
        }
        var failure = InquiryError.nobody
        for process in [1] + others {
            guard let name = StatusSocket.name(process: process, namespace: namespace) else {
                continue
            }
            do throws(InquiryError) {
                return try ask(process, name)
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

    private func ask(_ process: Int32, _ name: LocalName) throws(InquiryError) -> StatusReport {
        let answer: Answer
        do throws(Errno) {
            answer = try exchange(with: process, name)
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
            guard let report = StatusReport(record: record) else { throw .impostor }
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
        _ name: LocalName
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
        guard let record = try connection.receive(limit: StatusReport.maximumCount) else {
            return .silence
        }
        return .record(record)
    }
}
