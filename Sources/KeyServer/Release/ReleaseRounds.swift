internal import KeyProtocol

/// The requests of one transaction, decided in rounds, and the log that they are recorded in.
///
/// What a round needs to know is read for all its requests together, and so in a few waits for the
/// database. Hence no two of a round may bear on each other: whoever asks twice has the second
/// request decided in the next round, which reads what the first one wrote.
struct ReleaseRounds {
    private let requests: [ReleaseRequest]

    /// Those that have had no turn yet, in the order they came.
    private var waiting: [Int]

    /// The end of the audit log, once it was read.
    private var end: AuditRecord?
    private var hasBegun = false

    init(_ requests: [ReleaseRequest]) {
        self.requests = requests
        waiting = Array(requests.indices)
    }

    /// Takes the requests of the next round, and reads what bears on them.
    ///
    /// - Returns: `nil` when all have had their turn.
    /// - Throws: ``KeyServerError/storage(reason:)``.
    mutating func next(
        in store: any StorageTransaction,
        now: Timestamp
    ) throws(KeyServerError) -> [ReleaseCase]? {
        guard !waiting.isEmpty else { return nil }
        var cases = try nextCases(in: store, now: now)
        var questions = ReleaseQuestions()
        for item in cases { item.facts.ask(item.request, &questions) }
        let records = try store.records(for: questions)
        // Later rounds go on behind what this transaction has appended itself.
        if !hasBegun { end = records.lastEntry }
        hasBegun = true
        var counters: Set<UsageCounter> = []
        for index in cases.indices {
            cases[index].facts.learn(cases[index].request, records)
            counters.formUnion(cases[index].facts.counters(of: cases[index].request))
        }
        let usages = try store.usages(counters)
        for index in cases.indices {
            cases[index].facts.learn(cases[index].request, usages: usages)
        }
        return cases
    }

    /// As many of those that wait as do not bear on each other, and who asks.
    private mutating func nextCases(
        in store: any StorageTransaction,
        now: Timestamp
    ) throws(KeyServerError) -> [ReleaseCase] {
        let candidates = Self.distinct(waiting) { Self.names(of: requests[$0]) }
        let askers = try store.askers(of: candidates.map { requests[$0] })
        // One device may have several names, certificates and tokens.
        let turn = Self.distinct(Array(askers.indices)) { index in
            askers[index].device.map { ["\($0.id)"] } ?? []
        }
        let cases = turn.map { index in
            ReleaseCase(
                index: candidates[index],
                request: requests[candidates[index]],
                token: askers[index].token,
                facts: ReleaseFacts(
                    now: now,
                    device: askers[index].device,
                    certificate: askers[index].certificate
                )
            )
        }
        let taken = Set(cases.map(\.index))
        waiting.removeAll(where: taken.contains)
        return cases
    }

    /// Appends an entry to the audit log, behind the last.
    ///
    /// - Throws: ``KeyServerError/storage(reason:)``.
    mutating func append(
        _ entry: AuditEntry,
        in store: any StorageTransaction
    ) throws(KeyServerError) {
        let record = AuditRecord(entry, after: end)
        try store.append(record)
        end = record
    }

    /// What a request has in common with others that show the same, or the same name.
    private static func names(of request: ReleaseRequest) -> [String] {
        ["name \(request.device)"]
            + (request.fingerprint.isEmpty ? [] : ["certificate \(request.fingerprint)"])
            + (request.token.map { ["token \($0.id)"] } ?? [])
    }

    /// Those that have nothing in common with any before them, whether or not that one is chosen: so
    /// what a device asks is decided in the order it asked.
    private static func distinct(_ indices: [Int], _ names: (Int) -> [String]) -> [Int] {
        var seen: Set<String> = []
        return indices.filter { index in
            let names = names(index)
            defer { seen.formUnion(names) }
            return seen.isDisjoint(with: names)
        }
    }
}
