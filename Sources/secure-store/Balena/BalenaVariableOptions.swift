internal import ArgumentParser
internal import BalenaAPI
internal import Cryptography
internal import KeyProtocol

/// Which variables a push sets.
struct BalenaVariableOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "NAME=VALUE lines to send as they are; - for standard input; may be repeated.",
            valueName: "file"
        )
    )
    var envFile: [String] = []

    @Option(
        help: ArgumentHelp(
            "NAME=VALUE lines to encrypt here and send as ENCRYPTED_NAME; - for standard input; "
                + "may be repeated.",
            valueName: "file"
        )
    )
    var encrypt: [String] = []

    @OptionGroup var key: KeyOptions

    @Option(
        help: ArgumentHelp(
            "A name that may be sent as it is though it is no credential, setting or ciphertext; "
                + "may be repeated.",
            valueName: "name"
        )
    )
    var plain: [String] = []

    func validate() throws {
        guard key.keyFile == nil || !encrypt.isEmpty else {
            throw ValidationError("--key-file goes with --encrypt")
        }
    }

    /// Whether there are any.
    var isGiven: Bool { !envFile.isEmpty || !encrypt.isEmpty }

    /// What every target gets.
    func read() throws -> [BalenaVariable] {
        var variables = try envFile.flatMap { try read(fixed: $0) }
        if !encrypt.isEmpty {
            let key = try key.read()
            variables += try encrypt.flatMap { path in
                try VariableFile.read(path).map { try Self.encrypted($0, $1, key) }
            }
        }
        return try Self.merge([], variables)
    }

    /// The lines of a file, to be sent as they are.
    func read(fixed path: String) throws -> [BalenaVariable] {
        try VariableFile.read(path).map { name, value in
            try check(name, value, path)
            return try BalenaVariable(name, value: value)
        }
    }

    /// Two lists as one.
    ///
    /// - Throws: ``CommandFailure`` where a name is twice.
    static func merge(
        _ one: [BalenaVariable],
        _ other: [BalenaVariable]
    ) throws -> [BalenaVariable] {
        var names: Set<String> = []
        for variable in one + other where !names.insert(variable.name).inserted {
            throw CommandFailure(.usage, "\(variable.name) is given twice")
        }
        return one + other
    }

    /// Whatever is not known to be fit for a dashboard stays here.
    private func check(_ name: String, _ value: SecretBytes, _ path: String) throws {
        if ["STORE_PASSWORD", "STORE_KEY"].contains(name) {
            throw CommandFailure(.usage, "\(name) in \(path) is the key itself: it stays here")
        }
        if name.hasPrefix(EnvironmentCommand.prefix) {
            guard Self.isCiphertext(value) else {
                throw CommandFailure(
                    .data,
                    "\(name) in \(path) does not hold ciphertext: encrypt it with --encrypt"
                )
            }
            return
        }
        let isOurs =
            ["MTLS_CERT", "MTLS_KEY", "MTLS_CA", "STORE_TOKEN", "STORE_ENROLL_TOKEN"]
            .contains(name) || name.hasPrefix("SECURE_INIT_")
        guard isOurs || plain.contains(name) else {
            throw CommandFailure(
                .usage,
                "\(name) in \(path) would be sent as it is: encrypt it with --encrypt, or say "
                    + "--plain \(name)"
            )
        }
    }

    /// Whether a value has one of the two forms (`docs/formats.md`, "Variables").
    private static func isCiphertext(_ value: SecretBytes) -> Bool {
        value.withUnsafeBytes { bytes in
            if EncryptedVariable.keyID(of: bytes) != nil { return true }
            return bytes.count >= 56 && (try? Hexadecimal.decode(bytes)) != nil
        }
    }

    /// A variable in clear, encrypted; ciphertext at balena that decrypts to the same will do.
    private static func encrypted(
        _ name: String,
        _ value: SecretBytes,
        _ key: StoreKey
    ) throws -> BalenaVariable {
        let name = VariableName(name)
        let ciphertext = try EncryptedVariable.encrypt(value, name: name.text, key: key)
        var keys = KeyBundle()
        try keys.add(key, named: KeyBundle.defaultName)
        let bundle = keys
        return try BalenaVariable(
            name.encrypted,
            value: SecretBytes(copying: ciphertext.utf8)
        ) { found in
            let plaintext = found.withUnsafeBytes {
                try? EncryptedVariable.decrypt($0, name: name.text, keys: bundle)
            }
            return plaintext?.isEqual(to: value) ?? false
        }
    }
}
