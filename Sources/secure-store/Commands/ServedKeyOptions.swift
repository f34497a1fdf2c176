internal import ArgumentParser
internal import Cryptography
internal import Glibc
internal import KeyProtocol
internal import KeyServer

/// Where the keys to serve come from.
struct ServedKeyOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("A file holding the key or password 'default'.", valueName: "file")
    )
    var passwordFile: String?

    @Option(
        help: ArgumentHelp(
            "A file holding a key, by name; may be repeated. Without a name it is 'default'.",
            valueName: "[name=]file"
        )
    )
    var keyFile: [String] = []

    /// Whether the command line or the environment names any.
    var areGiven: Bool {
        passwordFile != nil || !keyFile.isEmpty || getenv("STORE_PASSWORD") != nil
            || getenv("RCLONE_CONFIG_PASS") != nil
    }

    /// Reads them.
    ///
    /// - Parameter mayBeEmpty: Whether there are keys from elsewhere.
    /// - Returns: The keys.
    /// - Throws: ``KeyServerError``; ``KeyServerError/noKey``.
    func load(mayBeEmpty: Bool = false) throws(KeyServerError) -> KeyRing {
        var bundle = KeyBundle()
        // Taken in any case, so that it does not stay in the environment.
        let password = SecretInput.take("STORE_PASSWORD") ?? SecretInput.take("RCLONE_CONFIG_PASS")
        if let passwordFile {
            try add(KeyBundle.defaultName, from: passwordFile, to: &bundle)
        }
        for argument in keyFile {
            let (name, path) = Self.split(argument)
            try add(name, from: path, to: &bundle)
        }
        if bundle.names.isEmpty, let password {
            try add(KeyBundle.defaultName, password, source: "STORE_PASSWORD", to: &bundle)
        }
        return bundle.names.isEmpty && mayBeEmpty ? .empty : try KeyRing(bundle)
    }

    /// `NAME=PATH`, or a path, which a name cannot look like.
    static func split(_ argument: String) -> (name: String, path: String) {
        guard let equals = argument.firstIndex(of: "="),
            !argument[..<equals].contains("/")
        else { return (KeyBundle.defaultName, argument) }
        return (String(argument[..<equals]), String(argument[argument.index(after: equals)...]))
    }

    private func add(
        _ name: String,
        from path: String,
        to bundle: inout KeyBundle
    ) throws(KeyServerError) {
        let text = try SecretInput.read(path, limit: StoreKey.maximumCount + 2)
        try add(name, text, source: path, to: &bundle)
    }

    private func add(
        _ name: String,
        _ text: SecretBytes,
        source: String,
        to bundle: inout KeyBundle
    ) throws(KeyServerError) {
        do throws(KeyFormatError) {
            try bundle.add(try StoreKey(text), named: name)
        } catch {
            throw .key(source: source, reason: "\(error)")
        }
    }
}
