extension Option {
    /// What the command finds when it starts: its variables, directory and mask.
    static let surroundings: [Option] = [
        Option(
            "chdir",
            .command,
            .value("DIR") { directory(&$0, $1) },
            """
            where the command starts, which may lie in the view (where secure-init did)
            """
        ),
        Option(
            "umask",
            .command,
            .value("MODE") { mask(&$0, $1) },
            """
            the command's file mode creation mask, octal (the one secure-init has)
            """
        ),
        Option(
            "clear-env",
            .environment,
            .flag { $0.clearsEnvironment = $1 },
            """
            the command gets no variable but decrypted ones, those of --keep, and HOME with --user
            """
        ),
        Option(
            "keep",
            .environment,
            .value("NAME") { keep(&$0, $1) },
            """
            with --clear-env, a variable that stays; NAME* for all that begin so; may be repeated \
            or a,list
            """
        ),
        Option(
            "env-file",
            .environment,
            .value("PATH") { file(&$0, $1) },
            """
            a file of NAME=VALUE lines, as docker run --env-file takes it, ENCRYPTED_ ones \
            included; real variables win, later files over earlier ones; may be repeated
            """
        ),
        Option(
            "deliver",
            .environment,
            .value("env|file") { delivery(&$0, $1) },
            """
            how what was decrypted reaches the command: as X, or as a file in memory that X_FILE \
            names (env); NAME=file for one variable; may be repeated or a,list
            """
        ),
        Option(
            "deliver-dir",
            .environment,
            .value("DIR") { deliveryDirectory(&$0, $1) },
            """
            where the files appear (/run/secure-init; without the right to mount, nowhere)
            """
        ),
        Option(
            "strict",
            .environment,
            .flag { $0.isStrict = $1 },
            """
            do not start, exit 65, where a variable looks encrypted and would stay so, as \
            ENCRYPTD_X or a value of the v2 form in X
            """
        ),
    ]

    private static func directory(_ settings: inout Settings, _ text: String) -> String? {
        guard !text.isEmpty else { return "a directory" }
        settings.directory = text
        return nil
    }

    private static func delivery(_ settings: inout Settings, _ text: String) -> String? {
        settings.delivery.apply(text) ? nil : "env or file, or NAME=file"
    }

    private static func deliveryDirectory(_ settings: inout Settings, _ text: String) -> String? {
        // What names it to the command must mean the same wherever that is.
        guard text.utf8.first == UInt8(ascii: "/"), text.utf8.count > 1 else {
            return "an absolute path"
        }
        settings.delivery.directory = text
        return nil
    }

    private static func file(_ settings: inout Settings, _ text: String) -> String? {
        guard !text.isEmpty else { return "a file" }
        settings.environmentFiles.append(text)
        return nil
    }

    private static func mask(_ settings: inout Settings, _ text: String) -> String? {
        guard let mask = Int32(text, radix: 8), (0...0o777).contains(mask), text.utf8.first != 0x2b
        else { return "an octal number, 0 to 777" }
        settings.fileModeMask = mask
        return nil
    }

    private static func keep(_ settings: inout Settings, _ text: String) -> String? {
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let pattern = NamePattern(parsing: part) else {
                return "a variable's name, or NAME* for all that begin so"
            }
            settings.keptVariables.append(pattern)
        }
        return nil
    }
}
