internal import Cryptography
public import KeyProtocol

extension Administration {
    /// Whether the store can hold keys.
    ///
    /// - Throws: ``KeyServerError/storage(reason:)``.
    public func hasSeal() throws(KeyServerError) -> Bool {
        try storage.transaction(.reading) { store throws(KeyServerError) in
            try store.seal() != nil
        }
    }

    /// Opens the vault.
    ///
    /// - Throws: ``KeyServerError/wrongRootKey``, ``KeyServerError/noSeal``.
    public func openVault(_ root: RootKey) throws(KeyServerError) -> KeyVault {
        try KeyVault(master: currentSeal().open(with: root))
    }

    /// Adds a key, its first generation.
    ///
    /// - Parameters:
    ///   - name: 1 to 128 letters, digits, `.`, `_` or `-`.
    ///   - key: The key.
    ///   - vault: Seals it.
    /// - Throws: ``KeyServerError/keyExists(_:)``.
    public func addKey(
        _ name: String,
        _ key: StoreKey,
        vault: KeyVault
    ) throws(KeyServerError) {
        try check(name, key)
        try perform("key.new") { store, now throws(KeyServerError) in
            guard try store.generations(ofKey: name).isEmpty else { throw .keyExists(name) }
            let generation = Self.generation(1, of: name, key, vault, now)
            try store.insert(generation)
            return ((), ["key": .text(name), "id": .text(generation.identifier)])
        }
    }

    /// Adds a generation: what is given out from now on.
    ///
    /// - Parameters:
    ///   - name: Which key.
    ///   - key: The new generation.
    ///   - vault: Seals it.
    /// - Returns: The number of the generation.
    /// - Throws: ``KeyServerError/noSuchKey(_:)``.
    public func rotateKey(
        _ name: String,
        _ key: StoreKey,
        vault: KeyVault
    ) throws(KeyServerError) -> Int {
        try check(name, key)
        return try perform("key.rotate") { store, now throws(KeyServerError) in
            guard let last = try store.generations(ofKey: name).first else {
                throw .noSuchKey(name)
            }
            let generation = Self.generation(last.number + 1, of: name, key, vault, now)
            try store.insert(generation)
            return (
                generation.number,
                [
                    "key": .text(name), "generation": .number(generation.number),
                    "id": .text(generation.identifier),
                ]
            )
        }
    }

    /// Has a generation be given out no longer.
    ///
    /// - Parameters:
    ///   - name: Which key.
    ///   - number: Which generation; not the newest.
    ///   - date: Only if no device got it from then on, and whoever got it before; nil: only if
    ///     every device that got it has got the key without it since.
    /// - Throws: ``KeyServerError/noSuchKey(_:)``, ``KeyServerError/generationInUse(name:number:reason:)``.
    public func retireKey(
        _ name: String,
        generation number: Int,
        unusedSince date: Timestamp?
    ) throws(KeyServerError) {
        try perform("key.retire") { store, now throws(KeyServerError) in
            let generations = try store.generations(ofKey: name)
            guard var found = generations.first(where: { $0.number == number }) else {
                throw .noSuchKey("\(name), generation \(number)")
            }
            guard number != generations.first(where: { $0.retiredAt == nil })?.number else {
                throw .generationInUse(
                    name: name,
                    number: number,
                    reason: "it is the newest; make another first with 'secure-store key rotate'"
                )
            }
            let holders = try store.holders(ofKey: name, generation: number, limit: 4)
            if let reason = Self.use(of: found, holders, unusedSince: date) {
                throw .generationInUse(name: name, number: number, reason: reason)
            }
            found.retiredAt = found.retiredAt ?? now
            try store.update(found)
            return ((), ["key": .text(name), "generation": .number(number)])
        }
    }

    /// Forgets a key.
    ///
    /// - Throws: ``KeyServerError/noSuchKey(_:)``.
    public func removeKey(_ name: String) throws(KeyServerError) {
        try perform("key.remove") { store, _ throws(KeyServerError) in
            try store.expectKey(name)
            try store.removeKey(name)
            _ = try store.removePolicy(of: .key(name))
            return ((), ["key": .text(name)])
        }
    }

    /// The newest generation of a key, or a certain one; that it was read is recorded.
    ///
    /// - Parameters:
    ///   - name: Which key.
    ///   - number: Which generation; `nil` for the newest.
    ///   - vault: Opens it.
    /// - Returns: The key.
    /// - Throws: ``KeyServerError/noSuchKey(_:)``.
    public func exportKey(
        _ name: String,
        generation number: Int? = nil,
        vault: KeyVault
    ) throws(KeyServerError) -> StoreKey {
        try perform("key.export") { store, _ throws(KeyServerError) in
            let found = try store.generations(ofKey: name).first { generation in
                number.map { $0 == generation.number } ?? (generation.retiredAt == nil)
            }
            guard let found else { throw .noSuchKey(name) }
            return (
                try vault.open(found), ["key": .text(name), "generation": .number(found.number)]
            )
        }
    }

    /// Every key by name, or one.
    ///
    /// - Throws: ``KeyServerError/noSuchKey(_:)``.
    public func listKeys(_ name: String? = nil) throws(KeyServerError) -> [KeyListing] {
        try storage.transaction(.reading) { store throws(KeyServerError) in
            if let name { try store.expectKey(name) }
            var list: [KeyListing] = []
            let names = if let name { [name] } else { try store.keyNames() }
            for name in names {
                let generations = try store.generations(ofKey: name)
                var holders: [Int: [GenerationHolder]] = [:]
                for number in generations.map(\.number) {
                    holders[number] = try store.holders(
                        ofKey: name,
                        generation: number,
                        limit: KeyListing.holderLimit
                    )
                }
                list.append(
                    KeyListing(
                        name: name,
                        generations: generations,
                        holders: holders,
                        grants: try store.grants(ofKey: name)
                    )
                )
            }
            return list
        }
    }

    /// Lets devices have a key.
    ///
    /// - Throws: ``KeyServerError/noSuchKey(_:)``, ``KeyServerError/noDevice(_:)``.
    public func addGrant(
        ofKey name: String,
        to subject: GrantSubject
    ) throws(KeyServerError) {
        try perform("grant.add") { store, now throws(KeyServerError) in
            try store.expectKey(name)
            // A device by name must be there: a later one of that name was not meant.
            if case .device(let device) = subject { _ = try store.existingDevice(device) }
            _ = try store.insertGrant(ofKey: name, to: subject, at: now)
            return ((), ["key": .text(name), "to": .text("\(subject)")])
        }
    }

    /// Takes a grant back, from this moment on.
    ///
    /// - Throws: ``KeyServerError/noGrant(key:subject:)``.
    public func removeGrant(
        ofKey name: String,
        to subject: GrantSubject
    ) throws(KeyServerError) {
        try perform("grant.remove") { store, _ throws(KeyServerError) in
            guard try store.removeGrant(ofKey: name, to: subject) else {
                throw .noGrant(key: name, subject: "\(subject)")
            }
            return ((), ["key": .text(name), "to": .text("\(subject)")])
        }
    }

    /// Why a generation cannot be retired; `nil` where it can.
    private static func use(
        of generation: GenerationRecord,
        _ holders: [GenerationHolder],
        unusedSince date: Timestamp?
    ) -> String? {
        guard let date else {
            guard let first = holders.first else { return nil }
            let others = holders.count > 1 ? ", and others" : ""
            return "\(first.device) got it at \(first.since) and has not come without it since"
                + "\(others): 'secure-store key show' lists them; --unused-since DATE leaves those "
                + "behind that did not come from then on"
        }
        guard let used = generation.usedAt, used.milliseconds >= date.milliseconds else {
            return nil
        }
        return "a device got it at \(used)"
    }

    func currentSeal() throws(KeyServerError) -> Seal {
        let seal = try storage.transaction(.reading) { store throws(KeyServerError) in
            try store.seal()
        }
        guard let seal else { throw .noSeal }
        return seal
    }

    /// Finds out now, not when a device asks, whether the key can be given out.
    private func check(_ name: String, _ key: StoreKey) throws(KeyServerError) {
        var bundle = KeyBundle()
        do {
            try bundle.add(key, named: name)
            _ = try AnswerBody.keys(bundle, lease: 0)
        } catch {
            throw .key(source: "'\(name)'", reason: "\(error)")
        }
    }

    private static func generation(
        _ number: Int,
        of name: String,
        _ key: StoreKey,
        _ vault: KeyVault,
        _ time: Timestamp
    ) -> GenerationRecord {
        GenerationRecord(
            key: name,
            number: number,
            identifier: key.generated?.id ?? "password",
            sealed: vault.seal(key, name: name, number: number),
            createdAt: time
        )
    }
}

extension KeyStorage {
    fileprivate func expectKey(_ name: String) throws(KeyServerError) {
        guard try !generations(ofKey: name).isEmpty else { throw .noSuchKey(name) }
    }
}
