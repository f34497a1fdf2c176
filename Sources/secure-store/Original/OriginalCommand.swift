internal import ArgumentParser
internal import Cryptography
internal import KeyProtocol
internal import KeyServer

/// What only the original did, printed as it printed it; reached through ``OriginalArguments``.
struct OriginalCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "original",
        abstract: "The original's flags, as commands.",
        shouldDisplay: false,
        subcommands: [GenerateKeys.self, NewKey.self, EncryptString.self]
    )

    private static let blue = "\u{1b}[34m"
    private static let plain = "\u{1b}[0m"

    /// `-generate-keys`.
    struct GenerateKeys: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "generate-keys",
            abstract: "Makes the one RSA-4096 certificate that server and devices share."
        )

        @Option var hostname: String
        @Option var certificatePath: String
        @Option var keyPath: String
        @Flag var base64 = false

        func run() throws {
            try Output.line("Generating mTLS keys...")
            let issued = try SharedCertificate.make(hostName: hostname)
            guard base64 else {
                // As the original, over what is there; unlike it, the key is for its owner only.
                try StateFile.create(
                    keyPath,
                    contents: issued.privateKeyPEM,
                    mode: 0o600,
                    replacing: true
                )
                try StateFile.create(
                    certificatePath,
                    contents: issued.certificatePEM,
                    mode: 0o644,
                    replacing: true
                )
                return
            }
            try show("MTLS_CERT", issued.certificatePEM)
            try show("MTLS_KEY", issued.privateKeyPEM)
        }

        private func show(_ name: String, _ value: SecretBytes) throws {
            try Output.line("\(blue) \(name):")
            try Output.bytes(
                SecretBytes.concatenating([
                    SecretBytes(copying: plain.utf8),
                    value.withUnsafeBytes { Base64.encodeSecret($0, as: .standard) },
                    SecretBytes(copying: "\n".utf8),
                ])
            )
        }
    }

    /// `-new-key`.
    struct NewKey: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "new-key",
            abstract: "Makes a random password of 64 digits."
        )

        func run() throws {
            let key = SecretBytes.random(count: 32)
            let digits = key.withUnsafeBytes { Hexadecimal.encode($0) }
            try Output.line("Your new key can be used to encrypt strings using the `-string` flag:")
            try Output.line("\(blue) \(digits)")
            try Output.bytes(SecretBytes(copying: plain.utf8))
        }
    }

    /// `-string S -password P`; the password arrives in `STORE_PASSWORD`.
    struct EncryptString: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "encrypt-string",
            abstract: "Encrypts a value in the original form."
        )

        @Argument var string: String

        func run() throws {
            guard let password = SecretInput.take("STORE_PASSWORD") else {
                throw CommandFailure(.usage, "-string needs -password")
            }
            // The original form does not hold the name; any will do.
            let value = try EncryptedVariable.encrypt(
                SecretBytes(copying: string.utf8),
                name: "X",
                key: StoreKey(password),
                form: .original
            )
            try Output.line("Encrypted string:")
            try Output.line("\(blue) \(value)")
            try Output.bytes(SecretBytes(copying: plain.utf8))
        }
    }
}
