internal import Cryptography

/// Follows a log from entry to entry, wherever it comes from.
public struct AuditVerifier: Sendable {
    /// Checks checkpoints; without one they are passed over.
    private let key: AuditPublicKey?

    /// How far all is in order.
    public private(set) var place = AuditPlace.beginning

    /// How many entries were in order.
    public private(set) var count = 0

    /// How many checkpoints were true.
    public private(set) var checkpoints = 0

    /// The last place that a true checkpoint speaks for.
    public private(set) var signed: AuditPlace?

    /// The number of the first entry that is not what was written, or is missing.
    public private(set) var broken: Int?

    private var hasBegun = false
    private var expected: AuditTrail.Mark?

    /// Begins before the first entry.
    ///
    /// - Parameters:
    ///   - key: Checks checkpoints.
    ///   - mark: An entry that must be there.
    public init(key: AuditPublicKey?, expecting mark: AuditTrail.Mark? = nil) {
        self.key = key
        expected = mark
    }

    /// Takes the next entry.
    public mutating func take(_ record: AuditRecord) {
        guard broken == nil else { return }
        guard record.follows(place), isExpected(record.place), isTrue(record) else {
            broken = place.number + 1
            return
        }
        place = record.place
        count += 1
        hasBegun = true
    }

    /// Takes a checkpoint that stands by itself: for what was cut off before the first entry, or
    /// for what came last.
    public mutating func take(_ checkpoint: AuditCheckpoint) {
        guard broken == nil else { return }
        guard !hasBegun || checkpoint.place == place, key.map({ $0.verifies(checkpoint) }) ?? true
        else {
            broken = place.number + 1
            return
        }
        hasBegun = true
        place = checkpoint.place
        note(checkpoint)
    }

    /// Says that there is no more.
    public mutating func finish() {
        guard broken == nil, let expected, expected.number > place.number else { return }
        broken = place.number + 1
    }

    private func isExpected(_ place: AuditPlace) -> Bool {
        guard let expected, expected.number == place.number else { return true }
        return expected.hash == Hexadecimal.encode(place.hash)
    }

    private mutating func isTrue(_ record: AuditRecord) -> Bool {
        guard AuditCheckpoint.isClaimed(by: record.entry) else { return true }
        guard let checkpoint = AuditCheckpoint(entry: record.entry), checkpoint.place == place,
            key.map({ $0.verifies(checkpoint) }) ?? true
        else { return false }
        note(checkpoint)
        return true
    }

    private mutating func note(_ checkpoint: AuditCheckpoint) {
        guard key != nil else { return }
        checkpoints += 1
        signed = checkpoint.place
    }
}
