public import Cryptography

extension Administration {
    /// Has everything in the log so far signed.
    ///
    /// - Parameter vault: Opens the key that signs; makes one where there is none.
    /// - Returns: The checkpoint; the last one again, where nothing has come since.
    /// - Throws: ``KeyServerError/sealing(reason:)``, ``KeyServerError/storage(reason:)``.
    @discardableResult
    public func signAudit(_ vault: KeyVault) throws(KeyServerError) -> AuditCheckpoint {
        try storage.transaction(.writing) { store throws(KeyServerError) in
            let signer = try store.auditSigner(vault)
            guard let last = try store.lastAuditRecord() else {
                // A store begins with an entry of its own.
                throw .storage(reason: "the audit log is empty")
            }
            if let checkpoint = AuditCheckpoint(entry: last.entry) { return checkpoint }
            let now = Timestamp.now
            let checkpoint = try signer.sign(last.place, at: now)
            try store.append(checkpoint.entry(at: now))
            return checkpoint
        }
    }

    /// What checks the store's checkpoints.
    ///
    /// - Throws: ``KeyServerError/noAuditKey``.
    public func auditKey() throws(KeyServerError) -> AuditPublicKey {
        let record = try storage.transaction(.reading) { store throws(KeyServerError) in
            try store.auditKey()
        }
        guard let record else { throw .noAuditKey }
        return try AuditPublicKey(pem: record.publicKey, source: "the store")
    }

    /// Takes what came before a moment out of the log, up to the last checkpoint that speaks for
    /// nothing later, which takes its place.
    ///
    /// - Parameters:
    ///   - time: Entries from then on stay.
    ///   - path: A file that does not exist; the entries are on disk there before they are removed.
    ///   - write: Puts one line of the file together.
    /// - Returns: How many entries were removed, and the checkpoint.
    /// - Throws: ``KeyServerError/noCheckpoint(before:)``; ``KeyServerError/brokenAudit(entry:)``.
    public func trimAudit(
        before time: Timestamp,
        to path: String,
        write: (AuditExportLine) throws -> SecretBytes
    ) throws -> (count: Int, checkpoint: AuditCheckpoint) {
        let trail = AuditTrail(storage)
        let cut = try lastCheckpoint(before: time, trail)
        let base = try trail.base()
        var verifier = AuditVerifier(key: try auditKey())
        let file = try NewFile(path)
        if let base {
            verifier.take(base)
            try file.write(write(.checkpoint(base)))
        }
        try trail.forEach(from: 1) { record in
            guard record.number <= cut.place.number else { return }
            verifier.take(record)
            if let entry = verifier.broken { throw KeyServerError.brokenAudit(entry: entry) }
            try file.write(write(.entry(record)))
        }
        verifier.take(cut)
        if let entry = verifier.broken { throw KeyServerError.brokenAudit(entry: entry) }
        try file.write(write(.checkpoint(cut)))
        try file.finish()
        try perform("audit.trim") { store, _ throws(KeyServerError) in
            // Somebody else's trim must not be undone.
            guard try store.auditBase() == base else {
                throw .storage(reason: "the audit log was cut off by somebody else meanwhile")
            }
            try store.cutAudit(at: cut)
            return ((), ["through": .number(cut.place.number), "file": .text(path)])
        }
        return (verifier.count, cut)
    }

    /// The last checkpoint that speaks for entries before a moment alone.
    private func lastCheckpoint(
        before time: Timestamp,
        _ trail: AuditTrail
    ) throws -> AuditCheckpoint {
        struct Enough: Error {}
        let key = try auditKey()
        var found: AuditCheckpoint?
        do {
            try trail.forEach(from: 1) { record in
                if let checkpoint = AuditCheckpoint(entry: record.entry), key.verifies(checkpoint) {
                    found = checkpoint
                }
                guard let written = record.time, written.milliseconds < time.milliseconds else {
                    throw Enough()
                }
            }
        } catch is Enough {}
        guard let found, found.place.number != (try trail.base())?.place.number else {
            throw KeyServerError.noCheckpoint(before: time)
        }
        return found
    }
}

/// A line of an exported log.
public enum AuditExportLine: Sendable {
    /// An entry.
    case entry(AuditRecord)

    /// What speaks for all entries before.
    case checkpoint(AuditCheckpoint)
}

extension AuditRecord {
    /// When it was written, by its own word.
    var time: Timestamp? {
        guard let match = entry.prefixMatch(of: /\{"number":\d+,"time":"([^"]*)"/) else {
            return nil
        }
        return Timestamp(rfc3339: String(match.1))
    }
}

extension StorageTransaction {
    /// The key that signs checkpoints; a store that has none gets one, and it is recorded.
    func auditSigner(_ vault: KeyVault) throws(KeyServerError) -> AuditSigner {
        if let record = try auditKey() { return try vault.open(record) }
        let signer = AuditSigner()
        try insert(vault.seal(signer))
        try append(AuditEntry("audit.key", at: .now, ["key": .text(signer.publicKey.id)]))
        return signer
    }
}
