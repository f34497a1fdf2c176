internal import Cryptography

/// A signed word of the store for its audit log up to a place.
///
/// The signature is ECDSA with P-256 and SHA-256, DER, of
///
///     secure-store/audit-checkpoint/v1 LF NUMBER LF HASH LF TIME LF
///
/// with the hash in hexadecimal. `docs/key-server.md` shows how OpenSSL checks one.
public struct AuditCheckpoint: Equatable, Sendable {
    /// What it speaks for.
    public let place: AuditPlace

    /// When it was signed, RFC 3339.
    public let time: String

    /// Which key signed: ``AuditPublicKey/id``.
    public let key: String

    /// The signature, base64.
    public let signature: String

    /// The act of the entry that holds one.
    static let act = "audit.checkpoint"

    /// Describes a checkpoint; whether it is a true one is another question.
    public init(place: AuditPlace, time: String, key: String, signature: String) {
        self.place = place
        self.time = time
        self.key = key
        self.signature = signature
    }

    /// What is signed.
    static func message(_ place: AuditPlace, at time: String) -> [UInt8] {
        let lines = [
            "secure-store/audit-checkpoint/v1", "\(place.number)", Hexadecimal.encode(place.hash),
            time,
        ]
        return lines.flatMap { Array("\($0)\n".utf8) }
    }

    /// The entry that holds it in the log, right behind what it speaks for.
    func entry(at time: Timestamp) -> AuditEntry {
        AuditEntry(
            Self.act,
            at: time,
            [
                "hash": .text(Hexadecimal.encode(place.hash)), "key": .text(key),
                "signature": .text(signature), "through": .number(place.number),
            ]
        )
    }

    /// Whether an entry says of itself that it holds one.
    static func isClaimed(by entry: String) -> Bool {
        guard let match = entry.prefixMatch(of: /\{"number":\d+,"time":"[^"]*","act":"([^"]*)"/)
        else { return false }
        return match.1 == act
    }

    /// Reads what ``entry(at:)`` wrote; `nil` for anything else.
    init?(entry: String) {
        let form =
            /\{"number":\d+,"time":"([^"]+)","act":"audit\.checkpoint","hash":"([0-9a-f]{64})","key":"([0-9a-f]{16})","signature":"([A-Za-z0-9+\/=]+)","through":(\d{1,18})\}/
        guard let match = entry.wholeMatch(of: form)?.output, let number = Int(match.5) else {
            return nil
        }
        self.init(
            number: number,
            hash: String(match.2),
            time: String(match.1),
            key: String(match.3),
            signature: String(match.4)
        )
    }

    /// Takes one as it was exported; `nil` where the hash is none.
    public init?(number: Int, hash: String, time: String, key: String, signature: String) {
        let bytes = Array(hash.utf8).withUnsafeBytes { try? Hexadecimal.decode($0) }
        guard let bytes, bytes.count == 32 else { return nil }
        self.init(
            place: AuditPlace(number: number, hash: bytes),
            time: time,
            key: key,
            signature: signature
        )
    }

    /// The hash, hexadecimal.
    public var hashText: String { Hexadecimal.encode(place.hash) }
}
