/// Nobody gets a key until an operator says otherwise.
public struct Lockdown: Equatable, Sendable {
    /// Since when.
    public var since: Timestamp

    /// Why, in the operator's words.
    public var reason: String
}

/// What holds for the whole store.
public protocol LockdownStorage {
    /// The lockdown in force, if there is one.
    func lockdown() throws(KeyServerError) -> Lockdown?

    /// Begins a lockdown, or ends it.
    func setLockdown(_ lockdown: Lockdown?) throws(KeyServerError)
}
