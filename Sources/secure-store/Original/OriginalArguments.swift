/// The original Secure Store's command line, translated.
///
/// Its flags were Go's: one dash or two, `-flag value` or `-flag=value`, and everything from the
/// first argument that is no flag belongs to the program to run. They are told from the commands
/// of this tool by the first argument: a command has no dash.
struct OriginalArguments: Equatable {
    /// The arguments of this tool that do the same; empty when ``handsOver``.
    var translated: [String] = []

    /// Variables to set first: how a password crosses over without standing in ``translated``.
    var environment: [String: String] = [:]

    /// What the user should hear.
    var warnings: [String] = []

    /// Whether `secure-init` takes the arguments as they are.
    var handsOver = false

    /// Translates; `nil` where the arguments are not the original's.
    ///
    /// - Parameter arguments: Without the program's own name.
    /// - Throws: ``CommandFailure`` with ``ExitStatus/usage``.
    init?(_ arguments: [String]) throws {
        guard let first = arguments.first, let name = OriginalFlags.name(of: first),
            OriginalFlags.isKnown(name)
        else { return nil }
        let flags = try OriginalFlags(arguments)
        // In the original's order of precedence.
        if let content = flags.value("encrypt-content"), let password = flags.value("password") {
            translateContent(content, password, flags)
        } else if let string = flags.value("string"), let password = flags.value("password") {
            translated = ["original", "encrypt-string", "--", string]
            environment = ["STORE_PASSWORD": password]
            warnings = [Self.exposure("env encrypt NAME")]
        } else if flags.isOn("generate-keys") {
            translated = [
                "original", "generate-keys", "--hostname", flags.value("hostname") ?? "localhost",
                "--certificate-path", flags.value("certificate-path") ?? "./cert.pem",
                "--key-path", flags.value("key-path") ?? "./key.pem",
            ]
            if flags.isOn("base64") { translated.append("--base64") }
        } else if flags.isOn("new-key") {
            translated = ["original", "new-key"]
        } else if flags.value("local") != nil || flags.isOn("decrypt") {
            handsOver = true
        } else if flags.isOn("server") {
            let certificate = flags.value("certificate-path") ?? "./cert.pem"
            translated = [
                "serve", "--listen", "0.0.0.0:\(flags.value("port") ?? "8443")",
                // The original had no second port that could be taken.
                "--admin-listen", "none",
                "--cert", certificate, "--key", flags.value("key-path") ?? "./key.pem",
                "--client-ca", certificate, "--legacy",
            ]
        } else {
            throw CommandFailure(.usage, Self.incomplete(flags))
        }
    }

    private mutating func translateContent(
        _ content: String,
        _ password: String,
        _ flags: OriginalFlags
    ) {
        translated = [
            // It copied with `cp -r`.
            "volume", "encrypt", "--keep-folder", "--format", "rclone", "--config",
            flags.value("config-path") ?? "./encrypt.conf",
            content, "./storage",
        ]
        environment = ["STORE_PASSWORD": password]
        warnings = [Self.exposure("volume encrypt")]
    }

    private static func exposure(_ command: String) -> String {
        "warning: a password on the command line is visible to every user of this machine; "
            + "'secure-store \(command)' reads it from a file, STORE_PASSWORD or a prompt"
    }

    private static func incomplete(_ flags: OriginalFlags) -> String {
        if flags.value("encrypt-content") != nil || flags.value("string") != nil {
            return "-encrypt-content and -string need -password"
        }
        return "say what to do: -server, -decrypt, -local, -generate-keys, -new-key, -string or "
            + "-encrypt-content; 'secure-store --help' lists the commands that replace them"
    }
}
