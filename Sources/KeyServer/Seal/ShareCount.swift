internal import Cryptography

/// How many shares there are, and how many of them open the store.
public struct ShareCount: Equatable, Sendable {
    /// How many there are: at most 255.
    public let shares: Int

    /// How many open the store: 2 or more.
    public let threshold: Int

    /// Takes the two numbers.
    ///
    /// - Throws: ``KeyServerError/shareCount(shares:threshold:)``.
    public init(shares: Int, threshold: Int) throws(KeyServerError) {
        guard (2...SecretSharing.maximumCount).contains(shares), (2...shares).contains(threshold)
        else { throw .shareCount(shares: shares, threshold: threshold) }
        self.shares = shares
        self.threshold = threshold
    }

    /// Takes them as they were stored.
    init(storedShares shares: Int, threshold: Int) {
        self.shares = shares
        self.threshold = threshold
    }
}

/// Shares that were made together, as the store remembers them: nothing of the shares themselves.
public struct ShareSet: Equatable, Sendable {
    /// Tells it from others: 8 hexadecimal digits, at random.
    public let id: String

    /// How many shares, and how many of them open the store.
    public let count: ShareCount

    /// When they were made.
    public let madeAt: Timestamp

    /// Since when they open the store no longer.
    public var endedAt: Timestamp?
}

/// Which shares open the store, and which once did.
public protocol ShareStorage {
    /// A set by its id.
    func shareSet(_ id: String) throws(KeyServerError) -> ShareSet?

    /// The set that opens the store; `nil` where it is sealed otherwise.
    func currentShareSet() throws(KeyServerError) -> ShareSet?

    /// Has the present set end, if there is one, and another take its place, if one is given.
    func setShareSet(_ set: ShareSet?, at time: Timestamp) throws(KeyServerError)
}
