internal import Cryptography

/// An entry in its place in the log: bound by its hash to all that came before it.
///
///     hash = SHA-256( hash of the entry before, 32 bytes ‖ entry in UTF-8 )
///
/// Before the first entry stand 32 zero bytes. So no entry can be changed, moved or taken out
/// without every later hash changing.
public struct AuditRecord: Equatable, Sendable {
    /// Counts from 1, without gaps.
    public let number: Int

    /// One JSON object.
    public let entry: String

    /// 32 bytes.
    public let hash: [UInt8]

    /// Takes a record as it was stored.
    public init(number: Int, entry: String, hash: [UInt8]) {
        self.number = number
        self.entry = entry
        self.hash = hash
    }

    /// Puts an entry behind another record.
    public init(_ entry: AuditEntry, after previous: AuditRecord?) {
        number = (previous?.number ?? 0) + 1
        self.entry = entry.json(number: number)
        hash = Self.hash(of: self.entry, after: previous)
    }

    /// Whether this is what an undisturbed log holds behind another record.
    public func follows(_ previous: AuditRecord?) -> Bool {
        number == (previous?.number ?? 0) + 1 && entry.hasPrefix(#"{"number":\#(number),"#)
            && hash == Self.hash(of: entry, after: previous)
    }

    private static func hash(of entry: String, after previous: AuditRecord?) -> [UInt8] {
        let chained = (previous?.hash ?? [UInt8](repeating: 0, count: 32)) + Array(entry.utf8)
        return chained.withUnsafeBytes { SHA256.digest(of: $0) }
    }
}

extension AuditStorage {
    /// Appends an entry behind the last.
    func append(_ entry: AuditEntry) throws(KeyServerError) {
        try append(AuditRecord(entry, after: lastAuditRecord()))
    }
}
