internal import Cryptography

/// Reads the audit log: to print it, and to prove that nothing in it was changed.
public struct AuditTrail: Sendable {
    private let storage: any Storage
    private static let pageCount = 1000

    /// Reads a store's log.
    public init(_ storage: any Storage) {
        self.storage = storage
    }

    /// Hands out every entry in order, a page at a time.
    ///
    /// - Parameters:
    ///   - number: The first wanted.
    ///   - body: Takes a record.
    /// - Throws: ``KeyServerError``; what `body` throws, which ends the reading.
    public func forEach(
        from number: Int = 1,
        _ body: (AuditRecord) throws -> Void
    ) throws {
        var next = number
        while true {
            let from = next
            let page = try storage.transaction(.reading) { store throws(KeyServerError) in
                try store.auditRecords(from: from, limit: Self.pageCount)
            }
            guard let last = page.last else { return }
            try page.forEach(body)
            next = last.number + 1
        }
    }

    /// The last entries, in order.
    ///
    /// - Parameter count: At most so many.
    /// - Returns: Those there are.
    /// - Throws: ``KeyServerError/storage(reason:)``.
    public func last(_ count: Int) throws(KeyServerError) -> [AuditRecord] {
        try storage.transaction(.reading) { store throws(KeyServerError) in
            guard let last = try store.lastAuditRecord() else { return [] }
            return try store.auditRecords(from: max(1, last.number - count + 1), limit: count)
        }
    }

    /// A place in the log, and what it held there: kept elsewhere, it shows a log cut short.
    public struct Mark: Equatable, Sendable {
        /// The number of an entry.
        public let number: Int

        /// Its hash, hexadecimal.
        public let hash: String

        /// Reads what `secure-store audit verify` prints: `NUMBER:HASH`.
        ///
        /// - Throws: ``KeyServerError/auditMark(_:)``.
        public init(_ text: String) throws(KeyServerError) {
            let parts = text.split(separator: ":")
            guard parts.count == 2, let number = Int(parts[0]), number > 0, parts[1].count == 64
            else { throw .auditMark(text) }
            self.number = number
            hash = String(parts[1])
        }
    }

    /// Follows the chain from the first entry to the last.
    ///
    /// - Parameters:
    ///   - mark: An entry that must be there.
    ///   - key: Checks the checkpoints; without one, the store's own, if it has one.
    /// - Returns: How far all is in order.
    /// - Throws: ``KeyServerError``; ``KeyServerError/auditTrimmed(through:)`` for a mark that was
    ///   cut off.
    public func verify(
        expecting mark: Mark? = nil,
        key: AuditPublicKey? = nil
    ) throws -> AuditVerifier {
        let found = try storage.transaction(.reading) { store throws(KeyServerError) in
            (base: try store.auditBase(), key: try store.auditKey()?.publicKey)
        }
        let own = try found.key.map { try AuditPublicKey(pem: $0, source: "the store") }
        var verifier = AuditVerifier(key: key ?? own, expecting: mark)
        if let base = found.base {
            if let mark, mark.number < base.place.number {
                throw KeyServerError.auditTrimmed(through: base.place.number)
            }
            verifier.take(base)
        }
        try forEach { verifier.take($0) }
        verifier.finish()
        return verifier
    }

    /// What stands in the place of entries that were cut off; `nil` where none were.
    ///
    /// - Throws: ``KeyServerError/storage(reason:)``.
    public func base() throws(KeyServerError) -> AuditCheckpoint? {
        try storage.transaction(.reading) { store throws(KeyServerError) in
            try store.auditBase()
        }
    }
}
