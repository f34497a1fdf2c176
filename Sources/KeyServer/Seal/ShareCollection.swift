internal import Cryptography

/// Shares that were given, until there are enough of them.
///
/// Each is held against what the store knows of its set before it counts.
struct ShareCollection: Sendable {
    private var shares: [UnsealShare] = []

    /// How many there are.
    var count: Int { shares.count }

    /// The set they are of; `nil` before the first.
    var set: String? { shares.first?.set }

    /// Adds a share.
    ///
    /// - Parameters:
    ///   - share: As it was typed.
    ///   - current: The set that opens the store; `nil` where none does.
    ///   - named: The set that the share names, as the store knows it.
    /// - Throws: ``ShareFault``; then nothing has changed.
    mutating func add(
        _ share: UnsealShare,
        current: ShareSet?,
        named: ShareSet?
    ) throws(ShareFault) {
        guard let named else {
            throw current == nil ? .noShares : .foreign(set: share.set)
        }
        guard let current, current.id == named.id else {
            throw .old(set: named.id, since: named.endedAt ?? named.madeAt)
        }
        guard share.threshold == current.count.threshold, share.index <= current.count.shares else {
            throw .altered
        }
        // Somebody has changed the shares since the first was given: those before are of no use.
        if set != current.id { shares = [] }
        guard !shares.contains(where: { $0.index == share.index }) else {
            throw .duplicate(index: share.index)
        }
        shares.append(share)
    }

    /// What the shares are of, where there are enough: right only if it opens the store.
    ///
    /// - Throws: ``KeyServerError/sealing(reason:)``.
    func rootKey() throws(KeyServerError) -> RootKey? {
        guard let threshold = shares.first?.threshold, shares.count >= threshold else { return nil }
        do throws(CryptographyError) {
            return RootKey(bytes: try SecretSharing.combine(shares.map(\.share)))
        } catch {
            throw .sealing(reason: "\(error)")
        }
    }
}
