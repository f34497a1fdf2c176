internal import Cryptography
internal import KeyProtocol

/// Puts granted keys into the bodies of answers.
struct ReleaseAnswer: Sendable {
    /// The keys of the command line.
    let ring: KeyRing

    /// Opens the keys of the store, where there is one.
    let gate: StoreGate?

    /// The answer to `GET /key`.
    ///
    /// - Throws: ``KeyServerError/sealing(reason:)``; nothing may be released then.
    func original(_ outcome: ReleaseOutcome) throws -> SecretBytes? {
        let name = KeyBundle.defaultName
        guard let generation = outcome.keys[name]?.first else { return ring.originalAnswer }
        return try AnswerBody.password(open(generation))
    }

    /// The answer to `POST /v1/unlock`.
    ///
    /// - Parameters:
    ///   - outcome: What was decided.
    ///   - request: What was asked for.
    /// - Returns: `nil` where a key is missing after all.
    /// - Throws: ``KeyServerError/sealing(reason:)``; nothing may be released then.
    func unlock(_ outcome: ReleaseOutcome, _ request: ReleaseRequest) throws -> SecretBytes? {
        let token = try outcome.renewal.flatMap { try gate?.signer?.sign($0) }
        if outcome.keys.isEmpty, token == nil { return ring.unlockAnswer(for: request.keyNames) }
        var bundle = KeyBundle()
        var older: [StoreKey] = []
        for name in request.keyNames {
            if let generations = outcome.keys[name], let newest = generations.first {
                try bundle.add(open(newest), named: name)
                for generation in generations.dropFirst() {
                    if request.generations.contains(name) {
                        try bundle.addOlderGeneration(open(generation))
                    } else {
                        older.append(try open(generation))
                    }
                }
            } else if let key = ring.key(named: name) {
                try bundle.add(key, named: name)
            } else {
                return nil
            }
        }
        return try AnswerBody.keys(bundle, older: older, lease: 0, token: token)
    }

    private func open(_ generation: GenerationRecord) throws(KeyServerError) -> StoreKey {
        guard let vault = gate?.vault else { throw .noSeal }
        return try vault.open(generation)
    }
}
