internal import Cryptography
internal import Synchronization

/// Whether this server can open the store's keys, and what it takes until it can.
///
/// Each server has its own, also where several share one database. What opens the store is held
/// here and nowhere else, so that closing leaves nothing of it.
public final class StoreGate: Sendable {
    private struct State {
        var vault: KeyVault?
        var signer: TokenSigner?
        var collection = ShareCollection()
        var forgetAt: ContinuousClock.Instant?

        mutating func forgetShares() {
            collection = ShareCollection()
            forgetAt = nil
        }
    }

    /// How the store stands.
    enum Standing: Equatable, Sendable {
        /// It has no keys to open.
        case unused

        /// Its keys are given out.
        case open

        /// A root key is wanted.
        case sealed

        /// Shares are wanted.
        case collecting(have: Int, set: ShareSet)
    }

    private let state: Mutex<State>
    private let storage: any Storage
    private let directory: StateDirectory
    private let patience: Duration

    /// How long shares are kept while others are missing: a quarter of an hour.
    public static let usualPatience = Duration.seconds(900)

    /// Makes a gate.
    ///
    /// - Parameters:
    ///   - directory: The server's.
    ///   - storage: The store.
    ///   - vault: What opens its keys, where somebody has given the root key already.
    ///   - patience: How long after the last share those that were given are forgotten.
    public init(
        _ directory: StateDirectory,
        storage: any Storage,
        vault: KeyVault? = nil,
        patience: Duration = usualPatience
    ) {
        self.directory = directory
        self.storage = storage
        self.patience = patience
        let signer = vault.map { TokenSigner(storage, $0) }
        state = Mutex(State(vault: vault, signer: signer))
    }

    /// What opens the store's keys, not to be kept; `nil` while it is sealed.
    var vault: KeyVault? { state.withLock { $0.vault } }

    /// What signs tokens and checks them, not to be kept; `nil` while the store is sealed.
    var signer: TokenSigner? { state.withLock { $0.signer } }

    /// Whether the store's keys can be given out.
    public var isOpen: Bool { vault != nil }

    /// When shares are to be forgotten; `nil` where there are none.
    var forgetAt: ContinuousClock.Instant? { state.withLock { $0.forgetAt } }

    /// How the store stands.
    ///
    /// - Throws: ``KeyServerError/storage(reason:)``.
    func standing() throws(KeyServerError) -> Standing {
        if isOpen { return .open }
        let found = try storage.transaction(.reading) { store throws(KeyServerError) in
            (hasSeal: try store.seal() != nil, set: try store.currentShareSet())
        }
        guard found.hasSeal else { return .unused }
        guard let set = found.set else { return .sealed }
        let have = state.withLock { $0.collection.set == set.id ? $0.collection.count : 0 }
        return .collecting(have: have, set: set)
    }

    /// Takes one share, and opens the store where it was the last that was missing.
    ///
    /// - Parameters:
    ///   - text: As it was typed.
    ///   - operator: Who gives it, for the audit log.
    /// - Returns: How the store stands then.
    /// - Throws: ``KeyServerError/share(_:)`` and ``KeyServerError/storage(reason:)``, and those that
    ///   were given before stay; ``KeyServerError/wrongShares``, and all are forgotten.
    func add(
        share text: SecretBytes,
        by operator: String
    ) throws(KeyServerError) -> Standing {
        guard !isOpen else { return .open }
        let administration = administration(`operator`)
        let before = state.withLock { $0.collection }
        var collection = before
        let share: UnsealShare
        do throws(KeyServerError) {
            share = try administration.add(text, to: &collection)
        } catch {
            try administration.note("operator.share", ["refused": .text("\(error)")])
            throw error
        }
        try administration.note(
            "operator.share",
            [
                "set": .text(share.set), "share": .number(share.index),
                "have": .number(collection.count), "need": .number(share.threshold),
            ]
        )
        state.withLock {
            $0.collection = collection
            $0.forgetAt = .now.advanced(by: patience)
        }
        guard let root = try collection.rootKey() else { return try standing() }
        do throws(KeyServerError) {
            let standing = try open(root, by: `operator`)
            state.withLock { $0.forgetShares() }
            return standing
        } catch .wrongRootKey {
            // Of no use, whichever of them it is.
            state.withLock { $0.forgetShares() }
            throw .wrongShares
        } catch {
            // It could not be recorded, as on a full disk: the last share may be given again, and the
            // others' holders need not come back.
            state.withLock { $0.collection = before }
            throw error
        }
    }

    /// Opens the store with its root key.
    ///
    /// - Returns: How the store stands then.
    /// - Throws: ``KeyServerError/wrongRootKey``, ``KeyServerError/noSeal``.
    func open(_ root: RootKey, by operator: String) throws(KeyServerError) -> Standing {
        guard !isOpen else { return .open }
        let administration = administration(`operator`)
        do throws(KeyServerError) {
            let vault = try administration.openVault(root)
            // Before anything can be given out.
            try administration.note("operator.unseal", [:])
            state.withLock {
                $0.vault = vault
                $0.signer = TokenSigner(storage, vault)
            }
        } catch {
            try administration.note("operator.unseal", ["refused": .text("\(error)")])
            throw error
        }
        return .open
    }

    /// Forgets what opens the store, at once; it is recorded afterwards.
    ///
    /// - Throws: ``KeyServerError/storage(reason:)`` where it could not be recorded.
    func close(by operator: String) throws(KeyServerError) {
        state.withLock {
            $0.vault = nil
            $0.signer = nil
            $0.forgetShares()
        }
        try administration(`operator`).note("operator.seal", [:])
    }

    /// Forgets the shares that were given.
    ///
    /// - Throws: ``KeyServerError/storage(reason:)`` where it could not be recorded.
    func reset(by operator: String) throws(KeyServerError) {
        state.withLock { $0.forgetShares() }
        try administration(`operator`).note("operator.unseal", ["reset": "by hand"])
    }

    /// Forgets the shares that were given, if their time is over.
    ///
    /// - Returns: Whether it was.
    /// - Throws: ``KeyServerError/storage(reason:)`` where it could not be recorded.
    func forgetWhatIsOver() throws(KeyServerError) -> Bool {
        let isOver = state.withLock { state in
            guard let end = state.forgetAt, end <= .now else { return false }
            state.forgetShares()
            return true
        }
        guard isOver else { return false }
        try administration("server").note("operator.unseal", ["reset": "the time is over"])
        return true
    }

    /// Has the audit log signed as it is; `nil` while the store is sealed.
    ///
    /// - Throws: ``KeyServerError/storage(reason:)``, ``KeyServerError/sealing(reason:)``.
    func signAudit() throws(KeyServerError) -> AuditCheckpoint? {
        guard let vault else { return nil }
        return try administration("server").signAudit(vault)
    }

    private func administration(_ operator: String) -> Administration {
        Administration(directory, storage: storage, operator: `operator`)
    }
}

extension Administration {
    /// Records an act that changes nothing in the store.
    fileprivate func note(
        _ act: String,
        _ fields: [String: AuditEntry.Value?]
    ) throws(KeyServerError) {
        try perform(act) { _, _ in ((), fields) }
    }
}
