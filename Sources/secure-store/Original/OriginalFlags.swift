/// Flags as Go's `flag` package reads them.
struct OriginalFlags {
    private static let switches: Set<String> = [
        "base64", "decrypt", "env-only", "force-unmount", "generate-keys", "new-key", "server",
    ]

    private static let options: Set<String> = [
        "certificate-path", "config-path", "encrypt-content", "hostname", "key-path", "local",
        "password", "path", "port", "string",
    ]

    private var values: [String: String] = [:]
    private var on: Set<String> = []

    /// Reads flags up to the first argument that is none.
    ///
    /// - Throws: ``CommandFailure`` with ``ExitStatus/usage``.
    init(_ arguments: [String]) throws {
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            guard argument != "--", let name = Self.name(of: argument) else { return }
            let value = argument.firstIndex(of: "=").map {
                String(argument[argument.index(after: $0)...])
            }
            if Self.switches.contains(name) {
                try set(name, to: value)
            } else if Self.options.contains(name) {
                guard let value = value ?? rest.popFirst() else {
                    throw CommandFailure(.usage, "flag needs an argument: -\(name)")
                }
                values[name] = value
            } else {
                throw CommandFailure(.usage, "flag provided but not defined: -\(name)")
            }
        }
    }

    /// The name of a flag: one dash or two, up to `=`; `nil` for what is no flag.
    static func name(of argument: String) -> String? {
        guard argument.hasPrefix("-") else { return nil }
        let name = argument.dropFirst(argument.hasPrefix("--") ? 2 : 1).prefix { $0 != "=" }
        return name.isEmpty || name.hasPrefix("-") ? nil : String(name)
    }

    /// Whether the original had a flag of that name.
    static func isKnown(_ name: String) -> Bool {
        switches.contains(name) || options.contains(name)
    }

    /// An option's value; an empty one counts as not given, as in the original.
    func value(_ name: String) -> String? {
        values[name].flatMap { $0.isEmpty ? nil : $0 }
    }

    /// Whether a switch is on.
    func isOn(_ name: String) -> Bool { on.contains(name) }

    private mutating func set(_ name: String, to value: String?) throws {
        // The spellings Go's strconv.ParseBool knows.
        switch value {
        case nil, "1", "t", "T", "true", "TRUE", "True": on.insert(name)
        case "0", "f", "F", "false", "FALSE", "False": on.remove(name)
        case .some(let text):
            throw CommandFailure(.usage, "invalid boolean value \"\(text)\" for -\(name)")
        }
    }
}
