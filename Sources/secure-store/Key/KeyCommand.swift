internal import ArgumentParser
internal import Cryptography
internal import KeyProtocol
internal import KeyServer

/// `secure-store key`.
struct KeyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "key",
        abstract: "Makes keys and tells them apart; keys in a server's store.",
        subcommands: [
            KeyNew.self, ShowID.self, KeyList.self, KeyShow.self, KeyRotate.self, KeyRetire.self,
            KeyExport.self, KeyRemove.self,
        ]
    )

    /// `secure-store key show-id`.
    struct ShowID: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show-id",
            abstract: "Prints the id of a generated key, which is no secret."
        )

        @OptionGroup var key: KeyOptions

        @Flag(help: "Print one JSON object.")
        var json = false

        func run() throws {
            guard let id = try key.read().generated?.id else {
                throw CommandFailure(
                    .data,
                    "this is a password, or a mistyped key: only generated keys have an id"
                )
            }
            try json ? Output.json(["id": id]) : Output.line(id)
        }
    }
}

/// Where a key comes from and goes to, besides a store.
struct KeyMaterial: ParsableArguments {
    @Option(help: ArgumentHelp("Write the key there, mode 0600.", valueName: "file"))
    var out: String?

    /// Writes the key to the file that was asked for, if any.
    func write(_ key: StoreKey) throws {
        guard let out else { return }
        let line = SecretBytes.concatenating([key.text, SecretBytes(copying: "\n".utf8)])
        try StateFile.create(out, contents: line, mode: 0o600)
    }
}

/// `secure-store key new`.
struct KeyNew: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "new",
        abstract: "Makes a random key (ssk1_…).",
        discussion: """
            Without a name the key is printed, or written to --out. With a name it goes into the \
            store of the server at --state, sealed under the root key, and nobody has it until a \
            grant says so; --from takes a key or password that exists.
            """
    )

    @Argument(help: "The key's name in a server's store.")
    var name: String?

    @OptionGroup var material: KeyMaterial

    @Option(help: ArgumentHelp("Take the key of this file into the store.", valueName: "file"))
    var from: String?

    @OptionGroup var seal: SealOptions
    @OptionGroup var state: StateOptions

    @Flag(help: "Print one JSON object.")
    var json = false

    func validate() throws {
        guard name != nil || from == nil else {
            throw ValidationError("--from needs a name to keep the key under")
        }
    }

    func run() throws {
        if let name {
            try addToStore(name)
            return
        }
        let key = StoreKey.generate()
        let id = key.generated?.id ?? ""
        try material.write(key)
        if let out = material.out {
            try json
                ? Output.json(["file": out, "id": id]) : Output.line("Key \(id) is in \(out)")
        } else if json {
            let text = key.text.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
            try Output.json(["id": id, "key": text])
        } else {
            try Output.bytes(
                SecretBytes.concatenating([key.text, SecretBytes(copying: "\n".utf8)])
            )
        }
    }

    private func addToStore(_ name: String) throws {
        let administration = try state.administration()
        let vault = try seal.openVault(of: administration)
        let key = try KeyRotate.material(from: from)
        try administration.addKey(name, key, vault: vault)
        try material.write(key)
        let id = key.generated?.id ?? "password"
        try json
            ? Output.json(["key": name, "id": id])
            : Output.line("Key \(name) (\(id)) is in the store; 'secure-store grant add' gives it")
    }
}

/// `secure-store key rotate`.
struct KeyRotate: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rotate",
        abstract: "Makes a key's next generation, which is given out from now on.",
        discussion: """
            Devices whose variables or volume need an older generation ask for it, and get it until \
            'key retire'. A volume is sealed under the newest on its device's next start; 'env \
            rotate' does the same for variables. 'key show' says who still got an older one.
            """
    )

    @Argument(help: "The key's name.")
    var name: String

    @OptionGroup var material: KeyMaterial

    @Option(help: ArgumentHelp("Take the key of this file.", valueName: "file"))
    var from: String?

    @OptionGroup var seal: SealOptions
    @OptionGroup var state: StateOptions

    func run() throws {
        let administration = try state.administration()
        let vault = try seal.openVault(of: administration)
        let key = try Self.material(from: from)
        let number = try administration.rotateKey(name, key, vault: vault)
        try material.write(key)
        try Output.line("Key \(name), generation \(number) (\(key.generated?.id ?? "password"))")
    }

    /// The key of a file, or a new one.
    static func material(from path: String?) throws -> StoreKey {
        guard let path else { return StoreKey.generate() }
        return try StoreKey(SecretInput.read(path, limit: StoreKey.maximumCount + 2))
    }
}

/// `secure-store key retire`.
struct KeyRetire: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retire",
        abstract: "Gives a generation of a key out no longer.",
        discussion: """
            Without --unused-since, only when every device that got the generation has come again \
            and done without it: 'key show' lists those that have not.
            """
    )

    @Argument(help: "The key's name.")
    var name: String

    @Argument(help: "The generation's number; not the newest.")
    var generation: Int

    @Option(
        help: ArgumentHelp(
            "Only if no device got it from this day on (YYYY-MM-DD, or with THH:MM:SSZ; UTC), and "
                + "then whoever got it before.",
            valueName: "date"
        ),
        transform: KeyRetire.date
    )
    var unusedSince: Timestamp?

    @OptionGroup var state: StateOptions

    static func date(_ text: String) throws -> Timestamp {
        guard let date = Timestamp(date: text) else {
            throw ValidationError("'\(text)' is no date: write 2026-11-21, or 2026-11-21T09:30:00Z")
        }
        return date
    }

    func run() throws {
        try state.administration().retireKey(
            name,
            generation: generation,
            unusedSince: unusedSince
        )
    }
}

/// `secure-store key export`.
struct KeyExport: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Prints a key of the store, for 'env encrypt' or a safe.",
        discussion: "That somebody did is in the audit log."
    )

    @Argument(help: "The key's name.")
    var name: String

    @Option(help: "Which generation; without it the newest.")
    var generation: Int?

    @OptionGroup var material: KeyMaterial
    @OptionGroup var seal: SealOptions
    @OptionGroup var state: StateOptions

    func run() throws {
        let administration = try state.administration()
        let vault = try seal.openVault(of: administration)
        let key = try administration.exportKey(name, generation: generation, vault: vault)
        guard material.out == nil else {
            try material.write(key)
            return
        }
        try Output.bytes(SecretBytes.concatenating([key.text, SecretBytes(copying: "\n".utf8)]))
    }
}

/// `secure-store key remove`.
struct KeyRemove: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove",
        abstract: "Forgets a key of the store, all its generations and grants."
    )

    @Argument(help: "The key's name.")
    var name: String

    @OptionGroup var state: StateOptions

    func run() throws { try state.administration().removeKey(name) }
}
