/// What `--help` and `--version` print.
enum Help {
    /// The whole page.
    static var text: String {
        var text = """
            Usage: secure-init [options] [--] COMMAND [ARG…]

            Waits for a key, decrypts ENCRYPTED_X variables into X, mounts the encrypted
            storage, runs COMMAND, passes signals on, reaps orphans; unmounts and wipes
            the keys when COMMAND ends. Meant to be a container's entrypoint.

              secure-init --key-source file:/run/secrets/key --env-only -- /app/server
              secure-init --key-source https://store.local --storage /data -- /app/server

            secure-init status [--json] and secure-init health ask the one that runs, from
            docker exec or HEALTHCHECK, and secure-init sync has changes of --view memory
            written back; commands of these names need the -- before them.

            An option's variable is its name: SECURE_INIT_KEY_SOURCE for --key-source.
            Flags win over variables. A switch takes =false, too.

            """
        for section in Option.Section.allCases {
            text += "\n\(section.rawValue):\n"
            for option in Option.table where option.section == section {
                text += line(for: option)
            }
        }
        text += """

            Exit codes: the command's own; 128+n when signal n ended it; 126 not executable;
            127 not found; and before the command was started: 64 usage, 65 does not decrypt,
            69 no key in time, 71 operating system, 74 volume I/O, 77 refused by the server,
            78 configuration. Every line it can write, and what to do: docs/operations.md

            """
        return text
    }

    private static let indent = 26
    private static let width = 80

    private static func line(for option: Option) -> String {
        let dashes = option.section == .original ? "-" : "--"
        var line = "  \(dashes)\(option.name)\(option.placeholder.map { " \($0)" } ?? "")"
        if line.count >= indent - 1 {
            line += "\n" + String(repeating: " ", count: indent)
        } else {
            line += String(repeating: " ", count: indent - line.count)
        }
        var column = indent
        for word in option.help.split(separator: " ") {
            if column + word.count + 1 > width {
                line += "\n" + String(repeating: " ", count: indent)
                column = indent
            } else if column > indent {
                line += " "
                column += 1
            }
            line += word
            column += word.count
        }
        return line + "\n"
    }
}
