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

    /// What a check of the whole log found.
    public struct Finding: Equatable, Sendable {
        /// How many entries are in order.
        public var count = 0

        /// The number of the first entry that is not what was written, or is missing.
        public var broken: Int?

        /// The hash of the last good entry, hexadecimal.
        public var head = ""
    }

    /// Follows the chain from the first entry to the last.
    ///
    /// - Parameter mark: An entry that must be there.
    /// - Returns: How far all is in order.
    /// - Throws: ``KeyServerError/storage(reason:)``.
    public func verify(expecting mark: Mark? = nil) throws -> Finding {
        var finding = Finding()
        var previous: AuditRecord?
        try forEach { record in
            guard finding.broken == nil else { return }
            let isExpected = mark.map { $0.number != record.number || $0.hash == record.text }
            guard record.follows(previous), isExpected != false else {
                finding.broken = (previous?.number ?? 0) + 1
                return
            }
            previous = record
            finding.count += 1
        }
        finding.head = previous?.text ?? ""
        if finding.broken == nil, let mark, mark.number > finding.count {
            finding.broken = finding.count + 1
        }
        return finding
    }
}

extension AuditRecord {
    /// The hash, hexadecimal.
    fileprivate var text: String { Hexadecimal.encode(hash) }
}
