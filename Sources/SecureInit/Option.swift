/// One option: its name, what it does, and what `--help` says of it.
struct Option {
    /// Where `--help` lists it.
    enum Section: String, CaseIterable {
        case key = "Key"
        case volume = "Volume"
        case command = "Command"
        case environment = "Environment"
        case supervision = "Supervision"
        case other = "Other"
        case original = "Of the original program, accepted as it was written there"
    }

    /// How it takes its value.
    enum Kind {
        /// A switch.
        case flag(@Sendable (inout Settings, Bool) -> Void)
        /// A value. Returns what was expected where the value is not of its kind.
        case value(String, @Sendable (inout Settings, String) -> String?)
        /// A value that is a secret: it never becomes a `String`.
        case secret(String)
    }

    let name: String
    let section: Section
    let kind: Kind
    let help: String

    /// Whether a variable can stand for it: the original's flags and `--help` have none.
    var hasVariable: Bool { section != .original && name != "help" && name != "version" }

    /// `SECURE_INIT_KEY_SOURCE` for `key-source`.
    var variable: String {
        Self.variablePrefix
            + String(
                decoding: name.utf8.map {
                    $0 == UInt8(ascii: "-")
                        ? UInt8(ascii: "_") : ($0 >= UInt8(ascii: "a") ? $0 - 32 : $0)
                },
                as: UTF8.self
            )
    }

    static let variablePrefix = "SECURE_INIT_"
}
