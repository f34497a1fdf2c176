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
    ]

    private static func directory(_ settings: inout Settings, _ text: String) -> String? {
        guard !text.isEmpty else { return "a directory" }
        settings.directory = text
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
