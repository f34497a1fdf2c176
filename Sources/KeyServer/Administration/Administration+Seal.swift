public import Cryptography

extension Administration {
    /// Makes the store able to hold keys: a master key, sealed under the root key.
    ///
    /// - Throws: ``KeyServerError/sealed`` where it is already.
    public func initializeSeal(_ root: RootKey) throws(KeyServerError) {
        try initializeSeal(root, shares: nil) { () throws(KeyServerError) in }
    }

    /// Makes the store able to hold keys, under a root key that nobody has but several people
    /// together.
    ///
    /// - Parameters:
    ///   - count: How many shares, and how many of them open the store.
    ///   - deliver: Takes the shares; where it fails, nothing has happened.
    /// - Throws: ``KeyServerError/sealed`` where it is already.
    public func initializeSeal(
        _ count: ShareCount,
        deliver: ([UnsealShare]) throws(KeyServerError) -> Void
    ) throws(KeyServerError) {
        let new = SharedRootKey(count)
        try initializeSeal(new.root, shares: new.set) { () throws(KeyServerError) in
            try deliver(new.shares)
        }
    }

    /// Seals the store under another root key; the old one opens it no longer, nor do shares.
    ///
    /// - Throws: ``KeyServerError/wrongRootKey``, ``KeyServerError/noSeal``.
    public func changeRootKey(
        from old: RootKey,
        to new: RootKey
    ) throws(KeyServerError) {
        try changeRootKey(from: old, to: new, shares: nil) { () throws(KeyServerError) in }
    }

    /// Seals the store under a root key that several people have together.
    ///
    /// - Parameters:
    ///   - old: What opens the store now.
    ///   - count: How many shares, and how many of them open the store.
    ///   - deliver: Takes the shares; where it fails, nothing has happened.
    /// - Throws: ``KeyServerError/wrongRootKey``, ``KeyServerError/noSeal``.
    public func changeRootKey(
        from old: RootKey,
        to count: ShareCount,
        deliver: ([UnsealShare]) throws(KeyServerError) -> Void
    ) throws(KeyServerError) {
        let new = SharedRootKey(count)
        try changeRootKey(from: old, to: new.root, shares: new.set) { () throws(KeyServerError) in
            try deliver(new.shares)
        }
    }

    /// The shares that open the store; `nil` where it is sealed otherwise.
    ///
    /// - Throws: ``KeyServerError/storage(reason:)``.
    public func shareSet() throws(KeyServerError) -> ShareSet? {
        try storage.transaction(.reading) { store throws(KeyServerError) in
            try store.currentShareSet()
        }
    }

    /// Puts shares together.
    ///
    /// - Parameter texts: As they were typed; as many as open the store.
    /// - Returns: The root key.
    /// - Throws: ``KeyServerError/share(_:)``; ``KeyServerError/wrongShares``.
    public func rootKey(ofShares texts: [SecretBytes]) throws(KeyServerError) -> RootKey {
        var collection = ShareCollection()
        for text in texts { try add(text, to: &collection) }
        guard let root = try collection.rootKey() else {
            let need = try shareSet()?.count.threshold ?? 0
            throw .share(.tooFew(have: collection.count, need: need))
        }
        do throws(KeyServerError) {
            _ = try currentSeal().open(with: root)
        } catch .wrongRootKey {
            throw .wrongShares
        }
        return root
    }

    /// Reads a share, holds it against the store, and puts it to others.
    @discardableResult
    func add(
        _ text: SecretBytes,
        to collection: inout ShareCollection
    ) throws(KeyServerError) -> UnsealShare {
        let share: UnsealShare
        do throws(ShareFault) {
            share = try UnsealShare(text)
        } catch {
            throw .share(error)
        }
        let sets = try storage.transaction(.reading) { store throws(KeyServerError) in
            (current: try store.currentShareSet(), named: try store.shareSet(share.set))
        }
        do throws(ShareFault) {
            try collection.add(share, current: sets.current, named: sets.named)
        } catch {
            throw .share(error)
        }
        return share
    }

    private func initializeSeal(
        _ root: RootKey,
        shares: ShareSet?,
        deliver: () throws(KeyServerError) -> Void
    ) throws(KeyServerError) {
        let master = SecretBytes.random(count: 32)
        let seal = try Seal(master, under: root)
        let vault = try KeyVault(master: master)
        try perform("operator.init") { store, now throws(KeyServerError) in
            guard try store.seal() == nil else { throw .sealed }
            try store.setSeal(seal)
            _ = try store.auditSigner(vault)
            try store.setShareSet(shares, at: now)
            try deliver()
            return ((), Self.fields(of: shares))
        }
    }

    private func changeRootKey(
        from old: RootKey,
        to new: RootKey,
        shares: ShareSet?,
        deliver: () throws(KeyServerError) -> Void
    ) throws(KeyServerError) {
        let seal = try currentSeal()
        let replacement = try Seal(seal.open(with: old), under: new)
        try perform("operator.rekey") { store, now throws(KeyServerError) in
            // Somebody else's change in the meantime must not be undone.
            guard try store.seal() == seal else { throw .wrongRootKey }
            try store.setSeal(replacement)
            try store.setShareSet(shares, at: now)
            try deliver()
            return ((), Self.fields(of: shares))
        }
    }

    private static func fields(of set: ShareSet?) -> [String: AuditEntry.Value?] {
        [
            "set": set.map { .text($0.id) }, "shares": set.map { .number($0.count.shares) },
            "threshold": set.map { .number($0.count.threshold) },
        ]
    }
}

/// A root key that was drawn, and its shares.
private struct SharedRootKey {
    let root: RootKey
    let set: ShareSet
    let shares: [UnsealShare]

    init(_ count: ShareCount) {
        let secret = SecretBytes.random(count: 32)
        let set = ShareSet(
            id: Hexadecimal.encode(RandomBytes.make(count: 4)),
            count: count,
            madeAt: .now
        )
        root = RootKey(bytes: secret)
        shares = SecretSharing.split(secret, into: count.shares, threshold: count.threshold).map {
            UnsealShare(set: set.id, threshold: count.threshold, $0)
        }
        self.set = set
    }
}
