internal import ArgumentParser
internal import Cryptography
internal import KeyProtocol

/// `secure-store env`.
struct EnvironmentCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "env",
        abstract: "Encrypts and decrypts environment variables.",
        subcommands: [Encrypt.self, Decrypt.self, Rotate.self]
    )

    static let prefix = "ENCRYPTED_"

    /// `secure-store env encrypt`.
    struct Encrypt: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "encrypt",
            abstract: "Encrypts a variable and prints ENCRYPTED_NAME=….",
            discussion: """
                The value is read from standard input, or asked for where that is a terminal; one \
                line's end at its end is left off. A generated key writes the new form, which is \
                bound to the name; a password writes the original one.
                """
        )

        /// The forms by name.
        enum FormName: String, ExpressibleByArgument, CaseIterable {
            case auto, original, v2

            var form: EncryptedVariable.Form {
                switch self {
                case .auto: .automatic
                case .original: .original
                case .v2: .v2
                }
            }
        }

        @Argument(help: "The variable's name, with or without ENCRYPTED_.")
        var name: String

        @OptionGroup var key: KeyOptions

        @Option(help: ArgumentHelp("Read the value from a file.", valueName: "file"))
        var valueFile: String?

        @Flag(help: "Keep a line's end at the value's end.")
        var keepNewline = false

        @Flag(help: "The value is for secure-init --deliver file: it may hold NUL bytes.")
        var forFile = false

        @Option(help: "Which form to write: auto, original, v2.")
        var form = FormName.auto

        @Flag(help: "Print one JSON object.")
        var json = false

        func run() throws {
            let name = VariableName(name)
            guard name.isPortable else {
                throw CommandFailure(
                    .usage,
                    "'\(self.name)' cannot be a variable's name: letters, digits and _"
                )
            }
            let storeKey = try key.read(confirming: true)
            let value = try EncryptedVariable.encrypt(
                value(named: name),
                name: name.text,
                key: storeKey,
                form: form.form,
                mayHoldNUL: forFile
            )
            guard json else {
                try Output.line("\(name.encrypted)=\(value)")
                return
            }
            try Output.json([
                "name": name.encrypted, "value": value,
                "key": storeKey.generated?.id ?? "password",
            ])
        }

        private func value(named name: VariableName) throws -> SecretBytes {
            let path = valueFile ?? "-"
            if path == "-" {
                guard !key.usesStandardInput else {
                    throw CommandFailure(
                        .usage,
                        "key and value cannot both come from standard input"
                    )
                }
                if SecretInput.isTerminal { return try Prompt.ask("Value of \(name.text)") }
            }
            return try SecretInput.read(path, keepsNewline: keepNewline)
        }
    }

    /// `secure-store env decrypt`.
    struct Decrypt: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "decrypt",
            abstract: "Decrypts a variable and prints its value.",
            discussion: """
                The value is printed as it is; on a terminal a line's end follows it.
                """
        )

        @Argument(help: "ENCRYPTED_NAME=…; without it, such a line is read from standard input.")
        var assignment: String?

        @OptionGroup var key: KeyOptions

        @Flag(help: "Print one JSON object.")
        var json = false

        func run() throws {
            let (name, value) = try parsed()
            var keys = KeyBundle()
            try keys.add(try key.read(), named: KeyBundle.defaultName)
            let bytes = Array(value.utf8)
            let plaintext = try bytes.withUnsafeBytes {
                try EncryptedVariable.decrypt(
                    $0,
                    name: name.text,
                    keys: keys,
                    mayHoldNUL: true
                )
            }
            if json {
                let text = plaintext.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
                try Output.json(["name": name.text, "value": text])
                return
            }
            try Output.bytes(plaintext)
            if Output.isTerminal { try Output.line("") }
        }

        private func parsed() throws -> (VariableName, String) {
            if assignment == nil, key.usesStandardInput {
                throw CommandFailure(.usage, "key and value cannot both come from standard input")
            }
            let line =
                try assignment
                ?? SecretInput.read("-").withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
            guard let equals = line.firstIndex(of: "=") else {
                throw CommandFailure(.usage, "the variable must look like ENCRYPTED_NAME=…")
            }
            return (
                VariableName(String(line[..<equals])), String(line[line.index(after: equals)...])
            )
        }
    }
}

/// A variable's name, whichever way it was written.
struct VariableName: Equatable {
    /// Without the prefix.
    let text: String

    /// Takes the prefix off.
    init(_ text: String) {
        let prefix = EnvironmentCommand.prefix
        self.text = text.hasPrefix(prefix) ? String(text.dropFirst(prefix.count)) : text
    }

    /// With the prefix.
    var encrypted: String { EnvironmentCommand.prefix + text }

    /// Whether every shell and dashboard takes it: letters, digits and `_`, no digit first.
    var isPortable: Bool {
        let isDigit = { (byte: UInt8) in (0x30...0x39).contains(byte) }
        guard let first = text.utf8.first, !isDigit(first) else { return false }
        return text.utf8.allSatisfy { byte in
            isDigit(byte) || byte == UInt8(ascii: "_") || (0x41...0x5a).contains(byte)
                || (0x61...0x7a).contains(byte)
        }
    }
}
