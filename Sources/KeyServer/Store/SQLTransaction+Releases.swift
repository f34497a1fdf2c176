internal import AccessRules
internal import Database
internal import KeyProtocol

/// What decisions are made of: read for many requests at once, in a few waits for the database.
extension SQLTransaction {
    private var deviceOfCertificate: String {
        """
        SELECT \(deviceColumns), certificates.revoked_at FROM certificates
        LEFT JOIN devices ON devices.id = certificates.device WHERE certificates.fingerprint = ?
        """
    }

    private var deviceOfToken: String {
        """
        SELECT \(deviceColumns), tokens.id, tokens.family, tokens.device, tokens.key_names,
        tokens.issued_at, tokens.expires_at, tokens.revoked_at, tokens.successor
        FROM tokens JOIN devices ON devices.id = tokens.device WHERE tokens.id = ?
        """
    }

    func askers(of requests: [ReleaseRequest]) throws(KeyServerError) -> [Asker] {
        var found: [Int: Asker] = [:]
        var shown = QueryBatch()
        for (index, request) in requests.enumerated() {
            if let token = request.token {
                shown.add(DatabaseQuery(deviceOfToken, .text(token.id))) {
                    let record = Self.token($0, from: 9)
                    found[index] = Asker(
                        device: Self.device($0),
                        certificate: .token(revokedAt: record.revokedAt),
                        token: record
                    )
                }
            } else {
                shown.add(DatabaseQuery(deviceOfCertificate, .text(request.fingerprint))) {
                    found[index] =
                        $0.isNull(0)
                        ? Asker(certificate: .orphaned)
                        : Asker(
                            device: Self.device($0),
                            certificate: .registered(revokedAt: $0.timeIfAny(9))
                        )
                }
            }
        }
        try read(shown)
        var named = QueryBatch()
        for (index, request) in requests.enumerated() where found[index] == nil {
            found[index] = Asker(
                certificate: request.token == nil ? .unregistered : .forgottenToken
            )
            guard request.token == nil else { continue }
            let query = DatabaseQuery(
                "SELECT \(deviceColumns) FROM devices WHERE devices.name = ?",
                .text(request.device)
            )
            named.add(query) { found[index]?.device = Self.device($0) }
        }
        try read(named)
        return requests.indices.compactMap { found[$0] }
    }

    func records(
        for questions: ReleaseQuestions
    ) throws(KeyServerError) -> ReleaseRecords {
        var records = ReleaseRecords()
        var policies: [StoredPolicy] = []
        var batch = QueryBatch()
        batch.add(DatabaseQuery(Self.lockdownInForce)) { records.lockdown = Self.lockdown($0) }
        batch.add(DatabaseQuery(Self.endOfAudit)) { records.lastEntry = Self.record($0) }
        for key in questions.keys {
            batch.add(DatabaseQuery(Self.generationsOfKey, .text(key))) {
                records.generations[key, default: []].append(Self.generation($0))
            }
        }
        for grant in questions.grants {
            let query = DatabaseQuery(
                "SELECT 1 FROM grants WHERE key = ? AND kind = ? AND subject = ?",
                .text(grant.key),
                .text(grant.subject.kind),
                .text(grant.subject.name)
            )
            batch.add(query) { _ in records.grants.insert(grant) }
        }
        for subject in questions.subjects {
            let query = DatabaseQuery(
                Self.policyOfSubject,
                .text(subject.kind),
                .text(subject.name)
            )
            batch.add(query) { policies.append(StoredPolicy($0)) }
        }
        try read(batch)
        for policy in policies {
            let record = try policy.record
            records.rules[record.subject] = record.rules
        }
        return records
    }

    func usages(
        _ counters: Set<UsageCounter>
    ) throws(KeyServerError) -> [UsageCounter: RuleUsage] {
        var usages: [UsageCounter: RuleUsage] = [:]
        var batch = QueryBatch()
        for counter in counters {
            let query = DatabaseQuery(
                """
                SELECT releases, level, updated_at FROM usage
                WHERE holder = ? AND kind = ? AND subject = ?
                """,
                .text(counter.holder),
                .text(counter.subject.kind),
                .text(counter.subject.name)
            )
            batch.add(query) { row in
                usages[counter] = RuleUsage(
                    releases: row.integer(0),
                    level: row.integer(1),
                    updatedAt: row.integer(2)
                )
            }
        }
        try read(batch)
        return usages
    }

    private func read(_ batch: QueryBatch) throws(KeyServerError) {
        try attempt { () throws(DatabaseError) in try batch.run(on: connection) }
    }
}
