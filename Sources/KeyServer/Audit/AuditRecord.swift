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
        let place = previous?.place ?? .beginning
        number = place.number + 1
        self.entry = entry.json(number: number)
        hash = Self.hash(of: self.entry, after: place)
    }

    /// Whether this is what an undisturbed log holds behind a place.
    func follows(_ place: AuditPlace) -> Bool {
        number == place.number + 1 && entry.hasPrefix(#"{"number":\#(number),"#)
            && hash == Self.hash(of: entry, after: place)
    }

    private static func hash(of entry: String, after place: AuditPlace) -> [UInt8] {
        let chained = place.hash + Array(entry.utf8)
        return chained.withUnsafeBytes { SHA256.digest(of: $0) }
    }
}

extension AuditStorage {
    /// Appends an entry behind the last.
    func append(_ entry: AuditEntry) throws(KeyServerError) {
        try append(AuditRecord(entry, after: lastAuditRecord()))
    }
}
