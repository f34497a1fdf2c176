internal import KeySources
internal import Linux

/// What the settings amount to, checked before anything is waited for.
struct CommandPlan {
    /// Where the key comes from.
    enum Key {
        /// Nothing is to be decrypted.
        case nothing
        /// From the command line.
        case local(SecretDeposit)
        /// From outside.
        case source(KeySource)

        /// As a line of the log shows it; never holds a secret.
        var name: String {
            switch self {
            case .nothing: "none"
            case .local: "-local"
            case .source(.file(let path)): "file:\(path)"
            case .source(.descriptor(let number)): "fd:\(number)"
            case .source(.environment(let name)): "env:\(name)"
            case .source(.keyServer(let server)):
                "https://\(server.host.contains(":") ? "[\(server.host)]" : server.host)"
                    + ":\(server.port)\(server.path)"
            }
        }

        /// Whether a process of its own gets it.
        var isFetched: Bool {
            if case .source(.keyServer) = self { true } else { false }
        }

        /// The same; nil where no key is wanted.
        var shownName: String? {
            if case .nothing = self { nil } else { name }
        }

        /// The variable that holds the key, if one does.
        var variable: String? {
            if case .source(.environment(let name)) = self { name } else { nil }
        }
    }

    /// Where the key comes from.
    let key: Key
    /// The command and its arguments.
    let arguments: CStringArray
    /// Who the command runs as; nil for the same.
    let identity: ProcessStart.Identity?
    /// The home directory that goes with it.
    let home: String?
    /// The limit on core dumps that secure-init was started with, which is the command's; nil where it
    /// still applies.
    let coreLimit: CoreLimit?

    /// Checks the settings.
    ///
    /// - Parameters:
    ///   - settings: What was asked for.
    ///   - arguments: The command and its arguments.
    ///   - needsKey: Whether there is anything to decrypt.
    ///   - coreLimit: The limit on core dumps that secure-init was started with, where it has another.
    /// - Throws: ``InitError``: usage or configuration.
    init(
        settings: Settings,
        arguments: [UnsafePointer<CChar>],
        needsKey: Bool,
        coreLimit: CoreLimit? = nil
    ) throws(InitError) {
        self.coreLimit = coreLimit
        guard !arguments.isEmpty else { throw .noCommand }
        guard settings.clearsEnvironment || settings.keptVariables.isEmpty else {
            throw .keepWithoutClear
        }
        guard !settings.writesBack || settings.showsInMemory && !settings.readOnly else {
            throw .writeBackAlone
        }
        let isOnlyWriter =
            !settings.readOnly && !settings.sharesStorage && !settings.showsInMemory
        guard !settings.keepsJournal || isOnlyWriter else { throw .journalAlone }
        self.arguments = CStringArray(copying: arguments)
        key = try Self.key(settings, needsKey: needsKey)
        // By now some descriptors are our own, which a number given by mistake may be, too.
        if case .source(.descriptor(let number)) = key, !DescriptorFlags.isInherited(number) {
            throw .descriptorNotOpen(number)
        }
        guard let user = settings.user else {
            identity = nil
            home = nil
            return
        }
        (identity, home) = try Self.account(user)
    }

    private static func key(_ settings: Settings, needsKey: Bool) throws(InitError) -> Key {
        if let password = settings.localPassword { return .local(password) }
        do throws(KeySourceError) {
            if let text = settings.keySource {
                return .source(try KeySource(parsing: text))
            }
            if settings.decrypts || settings.hostName != nil {
                return .source(try original(settings))
            }
        } catch {
            throw .keySourceOption(error)
        }
        guard !needsKey else { throw .noKeySource }
        return .nothing
    }

    /// `-hostname` and `-port`; the original's manual had `https://` before the name, too.
    private static func original(_ settings: Settings) throws(KeySourceError) -> KeySource {
        var host = settings.hostName ?? "localhost"
        if host.hasPrefix("https://") { host.removeFirst(8) }
        return try KeySource(parsing: "https://\(host):\(settings.port ?? "8443")")
    }

    /// `USER[:GROUP]`, each a number or a name.
    private static func account(
        _ text: String
    ) throws(InitError) -> (ProcessStart.Identity, home: String?) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let accounts = AccountDatabase.ofImage()
        let number = UInt32(parts[0])
        let user = number.map { accounts.user(id: $0) } ?? accounts.user(named: parts[0])
        guard let id = user?.id ?? number else {
            throw .unknownAccount(kind: "user", name: String(parts[0]))
        }
        var group = user?.group ?? id
        if parts.count == 2 {
            guard let named = UInt32(parts[1]) ?? accounts.groupID(named: parts[1]) else {
                throw .unknownAccount(kind: "group", name: String(parts[1]))
            }
            group = named
        }
        // A group that is named stands alone, as with `docker run --user`.
        let supplementary =
            parts.count == 2 ? [] : user.map { accounts.supplementaryGroups(of: $0.name) } ?? []
        let groups = [group] + supplementary.filter { $0 != group }
        return (
            ProcessStart.Identity(user: id, group: group, supplementaryGroups: groups),
            user?.home
        )
    }
}
