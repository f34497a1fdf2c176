internal import AccessRules
internal import KeyProtocol
internal import NIOCore
internal import NIOPosix
internal import Synchronization

/// Decides about requests, and has every decision on disk before anybody learns of it.
protocol ReleaseDecider: Sendable {
    /// Decides about a request.
    ///
    /// - Throws: ``KeyServerError/storage(reason:)`` where the decision could not be recorded: then
    ///   nothing may be released.
    func decide(_ request: ReleaseRequest) async throws(KeyServerError) -> ReleaseOutcome
}

/// Decides without a store: by the command line alone.
struct StorelessDecider: ReleaseDecider {
    let policy: ReleasePolicy

    func decide(_ request: ReleaseRequest) async throws(KeyServerError) -> ReleaseOutcome {
        ReleaseOutcome(decision: policy.decide(request, ReleaseFacts(now: .now)))
    }
}

/// Decides by the store, and records in it: both in one transaction.
///
/// What arrives while a transaction is being synced to disk waits, and goes into the next one
/// together: a thousand devices that ask at once cost a few syncs, not a thousand.
final class ReleaseLedger: ReleaseDecider {
    private typealias Outcome = Result<ReleaseOutcome, KeyServerError>

    private struct Waiting {
        let request: ReleaseRequest
        let since: NIODeadline
        let continuation: CheckedContinuation<Outcome, Never>
    }

    private struct Queue {
        var waiting: [Waiting] = []
        var isBeingEmptied = false

        /// Of those that are in a transaction now: how many, and since when the first has waited.
        var settling = 0
        var settlingSince: NIODeadline?
    }

    private let storage: any Storage
    private let policy: ReleasePolicy
    private let metrics: ServerMetrics
    private let gate: StoreGate?
    private let now: @Sendable () -> Timestamp
    private let queue = Mutex(Queue())

    /// Most requests in one transaction: bounds how long an operator's act waits for its turn.
    private static let batchCount = 256

    init(
        storage: any Storage,
        policy: ReleasePolicy,
        metrics: ServerMetrics = ServerMetrics(),
        gate: StoreGate? = nil,
        now: @escaping @Sendable () -> Timestamp = { .now }
    ) {
        self.storage = storage
        self.policy = policy
        self.metrics = metrics
        self.gate = gate
        self.now = now
    }

    /// What waits to be put on disk at this moment.
    var backlog: AuditBacklog {
        queue.withLock { queue in
            let first = queue.settlingSince ?? queue.waiting.first?.since
            let waited = first.map { Double((NIODeadline.now() - $0).nanoseconds) / 1e9 }
            return AuditBacklog(
                count: queue.settling + queue.waiting.count,
                seconds: max(0, waited ?? 0)
            )
        }
    }

    func decide(_ request: ReleaseRequest) async throws(KeyServerError) -> ReleaseOutcome {
        let outcome = await withCheckedContinuation { continuation in
            let isFirst = queue.withLock { queue in
                queue.waiting.append(
                    Waiting(request: request, since: .now(), continuation: continuation)
                )
                defer { queue.isBeingEmptied = true }
                return !queue.isBeingEmptied
            }
            // Waits for the disk, so not on a thread that serves connections.
            if isFirst { NIOThreadPool.singleton.submit { _ in self.emptyQueue() } }
        }
        return try outcome.get()
    }

    private func emptyQueue() {
        while true {
            let batch = queue.withLock { queue in
                let batch = Array(queue.waiting.prefix(Self.batchCount))
                queue.waiting.removeFirst(batch.count)
                queue.settling = batch.count
                queue.settlingSince = batch.first?.since
                if batch.isEmpty { queue.isBeingEmptied = false }
                return batch
            }
            if batch.isEmpty { return }
            let outcomes = settle(batch.map(\.request))
            for (waiting, outcome) in zip(batch, outcomes) {
                waiting.continuation.resume(returning: outcome)
            }
        }
    }

    private func settle(_ requests: [ReleaseRequest]) -> [Outcome] {
        do throws(KeyServerError) {
            let outcomes = try storage.transaction(.writing) {
                store throws(KeyServerError) in
                var rounds = ReleaseRounds(requests)
                var outcomes: [Int: Outcome] = [:]
                while let cases = try rounds.next(in: store, now: now()) {
                    for item in cases {
                        outcomes[item.index] = .success(try settle(item, &rounds, in: store))
                    }
                }
                // Every request has its turn.
                return requests.indices.map {
                    outcomes[$0] ?? .failure(.storage(reason: "a request had no turn"))
                }
            }
            metrics.committedAt.set(Timestamp.now.milliseconds)
            return outcomes
        } catch {
            metrics.storageErrors.add()
            return requests.map { _ in .failure(error) }
        }
    }

    private func settle(
        _ item: ReleaseCase,
        _ rounds: inout ReleaseRounds,
        in store: any StorageTransaction
    ) throws(KeyServerError) -> ReleaseOutcome {
        let (request, facts) = (item.request, item.facts)
        var policy = policy
        if let gate { policy.canOpenStore = gate.isOpen }
        let decision = policy.decide(request, facts)
        let next = decision == .granted ? try renewal(of: item, in: store) : nil
        try rounds.append(AuditEntry(request, decision, facts, renewal: next), in: store)
        guard decision == .granted else { return ReleaseOutcome(decision: decision) }
        if let device = facts.provenDevice, let address = request.address {
            try store.noteSeen(device: device.id, at: facts.now, from: "\(address)")
        }
        for policy in facts.devicePolicies + facts.keyPolicies where policy.rules.counts {
            try store.setUsage(
                policy.rules.usage(after: policy.usage, releaseAt: facts.now.milliseconds),
                of: policy.subject,
                by: facts.holder(of: request)
            )
        }
        let keys = facts.keys.mapValues { $0.wanted(by: request) }
        for (name, generations) in keys {
            for var generation in generations {
                generation.usedAt = facts.now
                try store.update(generation)
            }
            if let device = facts.provenDevice {
                try store.noteHolding(generations, ofKey: name, device: device.id, at: facts.now)
            }
        }
        return ReleaseOutcome(decision: .granted, keys: keys, renewal: next)
    }

    /// The token that takes the place of the one that was shown, where half of its time is over.
    ///
    /// One that was renewed before is answered with the same: the device may not have got it.
    private func renewal(
        of item: ReleaseCase,
        in store: any StorageTransaction
    ) throws(KeyServerError) -> TokenClaims? {
        let facts = item.facts
        // The original's request has no room for it in its answer.
        guard item.request.takesToken, let device = facts.provenDevice, let present = item.token,
            present.isDue(at: facts.now)
        else { return nil }
        if let id = present.successor, let next = try store.token(id: id), next.revokedAt == nil,
            !next.isDue(at: facts.now)
        {
            return next.claims(device: device.name)
        }
        let next = TokenRecord(
            device: device.id,
            keys: present.keys,
            lifetime: present.expiresAt.seconds - present.issuedAt.seconds,
            at: facts.now,
            family: present.family
        )
        try store.removeTokens(ofFamily: present.family, expiredBefore: facts.now)
        try store.insert(next)
        try store.setSuccessor(next.id, ofToken: present.id)
        return next.claims(device: device.name)
    }
}

extension AuditEntry {
    /// What the log says of a decision.
    init(
        _ request: ReleaseRequest,
        _ decision: ReleaseDecision,
        _ facts: ReleaseFacts,
        renewal: TokenClaims? = nil
    ) {
        let name = facts.provenDevice?.name ?? request.device
        var fields: [String: Value?] = [
            "device": .text(name),
            "certificate": request.token == nil ? .text(request.fingerprint) : nil,
            "token": request.token.map { .text($0.id) },
            "legacy": request.isLegacy ? "shared certificate" : nil,
            "next_token": renewal.map { .text($0.id) },
            "claimed_device": request.claimedDevice.flatMap { $0 == name ? nil : .text($0) },
            "address": request.address.map { .text("\($0)") },
            "keys": .list(request.keyNames),
            "request_id": request.id.map { .text($0) },
        ]
        switch decision {
        case .granted:
            fields["result"] = "released"
            let given = facts.keys.values.flatMap { $0.wanted(by: request) }
            let names = given.map { "\($0.key)/\($0.number)" }.sorted()
            fields["generations"] = given.isEmpty ? nil : .list(names)
        case .refused(let refusal):
            fields["result"] = "refused"
            fields["code"] = .text(refusal.code)
            fields["reason"] = .text(refusal.detail)
        }
        self.init("release", at: facts.now, fields)
    }
}
