internal import Cryptography
internal import Glibc
internal import KeyProtocol
internal import KeySources
internal import Linux

extension Supervisor {
    /// Gets the keys from where the settings say.
    ///
    /// - Throws: ``InitError``; interrupted by a signal at any moment.
    func obtainKeys() throws(InitError) -> KeyBundle {
        let began = Instant.now
        let keys: KeyBundle
        phase = .waitingForKey
        switch plan.key {
        case .nothing:
            return KeyBundle()
        case .local(let deposit):
            guard let password = deposit.take() else { return KeyBundle() }
            keys = try bundle(of: password)
        case .source(.environment(let name)):
            guard let value = environment?.secret(named: name) else {
                throw .noKeyVariable(name: name)
            }
            keys = try bundle(value, from: .environment(name: name))
        case .source(.file(let path)):
            keys = try readKeyFile(path)
        case .source(.descriptor(let number)):
            keys = try readKeyDescriptor(number)
        case .source(.keyServer(let server)):
            keys = try fetchKeys(from: server)
        }
        keyIDs = keys.generatedKeyIDs
        log.info(
            "key obtained",
            [
                "keys": .text(keys.names.joined(separator: ",")),
                "ids": .text(keys.generatedKeyIDs.joined(separator: ",")),
                "after_ms": .number(Instant.now.milliseconds(since: began)),
                "source": .text(plan.key.name),
            ]
        )
        return keys
    }

    /// When the time for the key is over; nil for never.
    var keyDeadline: Instant? {
        settings.keyTimeout.map { Instant.now.advanced(byMilliseconds: $0) }
    }

    private func bundle(of password: SecretBytes) throws(InitError) -> KeyBundle {
        do throws(KeyFormatError) {
            var bundle = KeyBundle()
            try bundle.add(try StoreKey(password), named: KeyBundle.defaultName)
            return bundle
        } catch {
            throw .localPassword(error)
        }
    }

    private func bundle(
        _ text: SecretBytes,
        from origin: KeyOrigin
    ) throws(InitError) -> KeyBundle {
        do throws(KeySourceError) {
            return try text.withUnsafeBytes { text throws(KeySourceError) in
                try KeyText.bundle(text, from: origin)
            }
        } catch {
            throw .keySource(error)
        }
    }

    /// Tries again until the file is there: it may be mounted after the start.
    private func readKeyFile(_ path: String) throws(InitError) -> KeyBundle {
        let deadline = keyDeadline
        var backoff = Backoff()
        while true {
            do throws(KeySourceError) {
                return try KeyFile.read(path: path)
            } catch {
                guard error.mayPass else { throw .keySource(error) }
                if keyWait.cause != "\(error)" {
                    log.warning("waiting for the key: \(error)", ["source": .text(plan.key.name)])
                }
                keyWait.cause = "\(error)"
            }
            try pause(until: backoff.next(), deadline: deadline)
        }
    }

    private func readKeyDescriptor(_ number: Int32) throws(InitError) -> KeyBundle {
        let deadline = keyDeadline
        var descriptor = KeyDescriptor(number)
        defer {
            // Read to its end, or never to be read: the command has no business with it.
            DescriptorFlags.giveUp(number)
        }
        while true {
            do throws(KeySourceError) {
                if let keys = try descriptor.readAvailable() { return keys }
            } catch {
                throw .keySource(error)
            }
            try bootTurn(until: deadline, also: number)
            try check(deadline)
        }
    }

    /// Sleeps until a moment, or the deadline if that comes first.
    func pause(until moment: Instant, deadline: Instant?) throws(InitError) {
        keyWait.attemptFailed(next: moment)
        while Instant.now < moment {
            try bootTurn(until: min(moment, deadline ?? moment))
            try check(deadline)
        }
    }

    /// Gives up when the time for the key is over.
    func check(_ deadline: Instant?) throws(InitError) {
        guard let deadline, Instant.now >= deadline else { return }
        throw .keyTimeout(milliseconds: settings.keyTimeout ?? 0, cause: keyWait.cause)
    }
}

/// How the wait for the key goes.
struct KeyWait {
    /// Why the last attempt brought none, as was said last.
    var cause: String?
    /// How often the fetcher had to be started again.
    var restarts: Int64 = 0
    /// How many attempts have failed.
    private(set) var attempts: Int64 = 0
    /// When the next is due.
    private(set) var next: Instant?

    /// Counts an attempt.
    mutating func attemptFailed(next: Instant) {
        attempts &+= 1
        self.next = next
    }
}

/// How long to wait before the next attempt: up to 1 s, then up to twice as long each time, up to
/// 30 s, at random within that, so that devices that lost the same server do not come back at once.
struct Backoff {
    private var limit: Int64 = 1000

    /// When the next attempt is due.
    mutating func next() -> Instant {
        defer { limit = min(limit * 2, 30_000) }
        var random: UInt32 = 0
        withUnsafeMutableBytes(of: &random) { RandomBytes.fill($0) }
        return Instant.now.advanced(byMilliseconds: 100 + Int64(random) % limit)
    }
}
