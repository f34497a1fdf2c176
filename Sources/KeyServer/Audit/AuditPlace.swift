internal import Cryptography

/// A place in the audit log: everything up to an entry.
public struct AuditPlace: Equatable, Sendable {
    /// The entry's number.
    public let number: Int

    /// The entry's hash, 32 bytes: bound to all before it.
    public let hash: [UInt8]

    /// Before the first entry.
    static let beginning = AuditPlace(number: 0, hash: [UInt8](repeating: 0, count: 32))

    /// `NUMBER:HASH`, as it can be kept elsewhere.
    public var text: String { "\(number):\(Hexadecimal.encode(hash))" }
}

extension AuditRecord {
    /// The record's place.
    var place: AuditPlace { AuditPlace(number: number, hash: hash) }
}
