internal import Cryptography
internal import KeyProtocol
internal import KeySources
internal import Linux

extension Supervisor {
    /// The fetching of keys over the network, by a process of its own.
    final class Fetch {
        /// The process; nil between two.
        var process: HelperProcess?
        /// What it delivered.
        var keys: KeyBundle?
        /// The certificate it delivered; with the keys, where it was renewed on the way.
        var certificate: GivenCertificate?
        /// The token it delivered with the keys, in place of the one that was shown.
        var token: SecretBytes?
        /// Whether a certificate is all that is wanted.
        var wantsCertificate = false
        /// Why it gave up for good.
        var failure: InitError?
        /// Whether there is nothing to wait for any more.
        var isOver: Bool {
            keys != nil || failure != nil || wantsCertificate && certificate != nil
                || process?.end != nil
        }
    }

    /// Has the key server asked for the volume's key, and for those the variables need.
    func fetchKeys(from server: ServerAddress) throws(InitError) -> KeyBundle {
        guard let environment else { return KeyBundle() }
        try enroll(with: server)
        let reader = CredentialReader(settings: settings, environment: environment)
        let credentials = try reader.read()
        var job = FetchJob(
            server: server,
            credentials: credentials,
            keyNames: [KeyBundle.defaultName],
            device: environment.text(named: "BALENA_DEVICE_UUID") ?? CurrentProcess.hostName,
            bootID: Self.bootID,
            version: ProductVersion.text,
            identifiers: environment.neededKeyIDs
        )
        job.renews = reader.usesDirectory(credentials)
        fetchJob = job
        fetchJob?.renews = false
        log.info("asking for the key", ["source": .text(plan.key.name)])
        return try fetchKeys(job)
    }

    /// Has the key server asked for the older generations as well, because the newest did not open
    /// something.
    ///
    /// - Parameter what: What that was.
    /// - Returns: Nil where there are none, or nobody to ask.
    /// - Throws: ``InitError``; interrupted by a signal at any moment.
    func fetchOlderKeys(for what: String) throws(InitError) -> KeyBundle? {
        guard var job = fetchJob, job.generations.isEmpty else { return nil }
        job.generations = [KeyBundle.defaultName]
        fetchJob = job
        let interrupted = phase
        phase = .waitingForKey
        defer { phase = interrupted }
        log.info("\(what) needs an older key: asking for it", ["source": .text(plan.key.name)])
        let keys = try fetchKeys(job)
        return keys.olderGenerations(of: KeyBundle.defaultName).isEmpty ? nil : keys
    }

    /// Has the fetcher ask the server until it answers.
    private func fetchKeys(_ job: FetchJob) throws(InitError) -> KeyBundle {
        let fetch = try fetch(job)
        if let given = fetch.certificate { keepRenewed(given) }
        if let token = fetch.token { keepRenewed(token) }
        return fetch.keys ?? KeyBundle()
    }

    /// Has the fetcher do a job, and starts it again should it end before that is done.
    ///
    /// - Returns: What it delivered.
    /// - Throws: ``InitError``; interrupted by a signal at any moment.
    func fetch(_ job: FetchJob) throws(InitError) -> Fetch {
        let fetch = Fetch()
        fetch.wantsCertificate = job.credentials.enrolmentToken != nil
        self.fetch = fetch
        defer { endFetch() }
        let job = job.encoded()
        let deadline = keyDeadline
        var backoff = Backoff()
        while true {
            try startFetcher(fetch, job: job)
            while !fetch.isOver {
                try bootTurn(until: deadline)
                try check(deadline)
            }
            if fetch.keys != nil || fetch.wantsCertificate && fetch.certificate != nil {
                return fetch
            }
            if let failure = fetch.failure { throw failure }
            log.warning("the fetcher ended unexpectedly; starting it again")
            keyWait.restarts += 1
            try pause(until: backoff.next(), deadline: deadline)
        }
    }

    /// Starts the fetcher as nobody in particular; where that is not possible, as ourselves.
    private func startFetcher(_ fetch: Fetch, job: SecretBytes) throws(InitError) {
        var rights = HelperProcess.Rights()
        rights.capabilities = ProcessStart.Capabilities.none
        rights.ignoredSignals = SignalSet([.brokenPipe])
        if CurrentProcess.effectiveUser == 0 {
            rights.identity = ProcessStart.Identity(
                user: FetcherProcess.user,
                group: FetcherProcess.user,
                supplementaryGroups: []
            )
        }
        let process = try launchFetcher(fetch, rights: rights, job: job)
        // The exec tells within a moment whether the identity could be had.
        while process.report == .pending {
            try bootTurn(until: nil, also: process.reportDescriptor)
        }
        guard case .failed(let failure) = process.outcome else { return }
        guard failure.stage == .identity else {
            throw .start(command: "secure-init's own fetcher", failure)
        }
        log.warning(
            "the fetcher keeps our user: \(failure)",
            ["user": .number(Int64(CurrentProcess.effectiveUser))]
        )
        rights.identity = nil
        _ = try launchFetcher(fetch, rights: rights, job: job)
    }

    private func launchFetcher(
        _ fetch: Fetch,
        rights: HelperProcess.Rights,
        job: SecretBytes
    ) throws(InitError) -> HelperProcess {
        do throws(Errno) {
            let process = try HelperProcess(
                .fetcher,
                rights: rights,
                job: job,
                object: nil,
                maximumPayloadCount: Frame.maximumPayloadCount
            )
            fetch.process = process
            return process
        } catch {
            throw .system("cannot start the fetcher", error)
        }
    }

    /// Takes what the fetcher said.
    func listenToFetcher() {
        guard let fetch, let process = fetch.process else { return }
        process.listen { kind, payload in
            switch kind {
            case .keys:
                fetch.keys = try? KeyBundle(decoding: payload)
            case .failure:
                fetch.failure = Self.failure(payload)
            case .cause:
                let cause = String(decoding: payload, as: UTF8.self)
                keyWait.cause = cause
                log.warning("waiting for the key: \(cause)", ["source": .text(plan.key.name)])
            case .wait:
                let milliseconds = payload.prefix(4).reduce(Int64(0)) { $0 << 8 | Int64($1) }
                keyWait.attemptFailed(next: .now.advanced(byMilliseconds: milliseconds))
            case .line:
                log.relay(payload)
            case .certificate:
                fetch.certificate = GivenCertificate(payload)
            case .token:
                fetch.token = SecretBytes(copying: payload)
            case .opened, .ready, .stored:
                break
            }
        }
    }

    /// Sees to it that no fetcher is left.
    func endFetch() {
        guard let process = fetch?.process else { return }
        process.kill()
        while process.end == nil { turn(until: nil) }
        fetch = nil
    }

    private static func failure(_ payload: UnsafeRawBufferPointer) -> InitError {
        let message = String(decoding: payload.dropFirst(), as: UTF8.self)
        switch payload.first.map(Int32.init).flatMap(ExitCode.init) {
        case .refused: return .refused(message)
        default: return .misconfigured(message)
        }
    }

    private static var bootID: String {
        let path = "/proc/sys/kernel/random/boot_id"
        guard let bytes = try? SmallFile.read(path: path, limit: 128) else { return "" }
        return String(decoding: bytes.prefix { $0 > 0x20 }, as: UTF8.self)
    }
}
