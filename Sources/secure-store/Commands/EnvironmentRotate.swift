internal import ArgumentParser
internal import Cryptography
internal import KeyProtocol
internal import KeyServer

extension EnvironmentCommand {
    /// `secure-store env rotate`.
    struct Rotate: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "rotate",
            abstract: "Encrypts variables again, under the newest generation of their key.",
            discussion: """
                Reads lines NAME=VALUE and prints all of them: each ENCRYPTED_ one that is under an \
                older key under the newest, in the form it had, the rest as they are. The keys come \
                from the store at --state, all generations that are not retired, or from \
                --new-key-file and --old-key-file. Nothing is printed unless every one decrypts.
                """
        )

        @Argument(help: "A file of NAME=VALUE lines; without it, standard input.")
        var file: String?

        @Option(help: ArgumentHelp("The key's name in the store.", valueName: "name"))
        var key = KeyBundle.defaultName

        @Option(help: ArgumentHelp("A file holding the key to encrypt under.", valueName: "file"))
        var newKeyFile: String?

        @Option(help: ArgumentHelp("A file holding an older key; repeatable.", valueName: "file"))
        var oldKeyFile: [String] = []

        @OptionGroup var seal: SealOptions
        @OptionGroup var state: StateOptions

        func validate() throws {
            guard (newKeyFile == nil) == oldKeyFile.isEmpty else {
                throw ValidationError("--new-key-file and --old-key-file go together")
            }
        }

        func run() throws {
            let keys = try readKeys()
            let text = try SecretInput.read(file ?? "-", keepsNewline: true)
                .withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
            var rotated = 0
            let lines = try text.split(separator: "\n", omittingEmptySubsequences: false)
                .map { line in
                    guard let new = try Self.rotate(String(line), keys) else { return String(line) }
                    rotated += 1
                    return new
                }
            try Output.bytes(SecretBytes(copying: lines.joined(separator: "\n").utf8))
            Program.report("\(rotated) encrypted again")
        }

        /// The newest as `default`, with the older ones, the latest first.
        private func readKeys() throws -> KeyBundle {
            let generations: [StoreKey]
            if let newKeyFile {
                generations = try ([newKeyFile] + oldKeyFile).map {
                    try KeyRotate.material(from: $0)
                }
            } else {
                let administration = try state.administration()
                let vault = try seal.openVault(of: administration)
                generations = try administration.listKeys(key).flatMap(\.generations)
                    .filter { $0.retiredAt == nil }
                    .map { try administration.exportKey(key, generation: $0.number, vault: vault) }
            }
            var bundle = KeyBundle()
            for (index, key) in generations.enumerated() {
                if index == 0 {
                    try bundle.add(key, named: KeyBundle.defaultName)
                } else {
                    try bundle.addOlderGeneration(key)
                }
            }
            return bundle
        }

        /// The line under the newest key; nil where it is already, or is no encrypted variable's.
        private static func rotate(_ line: String, _ keys: KeyBundle) throws -> String? {
            guard line.hasPrefix(EnvironmentCommand.prefix), let equals = line.firstIndex(of: "="),
                let newest = keys[KeyBundle.defaultName]
            else { return nil }
            let name = VariableName(String(line[..<equals]))
            let value = Array(line[line.index(after: equals)...].utf8)
            return try value.withUnsafeBytes { value in
                var current = KeyBundle()
                try current.add(newest, named: KeyBundle.defaultName)
                let isCurrent =
                    (try? EncryptedVariable.decrypt(
                        value,
                        name: name.text,
                        keys: current,
                        mayHoldNUL: true
                    )) != nil
                guard !isCurrent else { return nil }
                let plaintext: SecretBytes
                do throws(VariableError) {
                    plaintext = try EncryptedVariable.decrypt(
                        value,
                        name: name.text,
                        keys: keys,
                        mayHoldNUL: true
                    )
                } catch {
                    throw CommandFailure(.data, "\(name.encrypted): \(error)")
                }
                let isOriginal = EncryptedVariable.keyID(of: value) == nil
                let new = try EncryptedVariable.encrypt(
                    plaintext,
                    name: name.text,
                    key: newest,
                    form: isOriginal ? .original : .automatic,
                    mayHoldNUL: true
                )
                return "\(name.encrypted)=\(new)"
            }
        }
    }
}
