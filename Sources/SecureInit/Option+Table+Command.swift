internal import Linux

extension Option {
    /// What concerns the command and the processes that come from it.
    static let commandAndSupervision: [Option] = [
        // Command.
        Option(
            "user",
            .command,
            .value("USER[:GROUP]") {
                $0.user = $1
                return nil
            },
            """
            run the command as this user, by number or from the image's /etc/passwd
            """
        ),
        Option(
            "keep-capabilities",
            .command,
            .flag { $0.keepsCapabilities = $1 },
            """
            leave the command the capabilities only secure-init needs, such as CAP_SYS_ADMIN
            """
        ),
        Option(
            "no-new-privileges",
            .command,
            .flag { $0.noNewPrivileges = $1 },
            """
            set-user-ID programs give the command nothing
            """
        ),
        // Supervision.
        Option(
            "group",
            .supervision,
            .flag { $0.signalsGroup = $1 },
            """
            signals go to the command's process group, not to its first process only
            """
        ),
        Option(
            "rewrite",
            .supervision,
            .value("A:B") { rewrite(&$0, $1) },
            """
            when signal A arrives send B instead, nothing when B is 0; may be repeated or a,list
            """
        ),
        Option(
            "remap-exit",
            .supervision,
            .value("N") { remap(&$0, $1) },
            """
            end with 0 when the command ends with N, as 143 for SIGTERM; may be repeated or a,list
            """
        ),
        Option(
            "subreaper",
            .supervision,
            .flag { $0.adoptsOrphans = $1 },
            """
            adopt orphans when not process 1 (yes; =false leaves them to whoever else adopts)
            """
        ),
        Option(
            "parent-death-signal",
            .supervision,
            .value("SIG") { parentDeath(&$0, $1) },
            """
            treat the end of secure-init's own parent as this signal
            """
        ),
        Option(
            "warn-on-reap",
            .supervision,
            .flag { $0.warnsOnReap = $1 },
            """
            a line for every orphan reaped
            """
        ),
        Option(
            "stop-grace",
            .supervision,
            .value("DURATION") { grace(&$0, $1) },
            """
            time for leftovers between TERM and KILL, once the command has ended (3s)
            """
        ),
        // Other.
        Option(
            "log-format",
            .other,
            .value("text|json") { format(&$0, $1) },
            """
            shape of the lines on standard error (text)
            """
        ),
        Option(
            "log-level",
            .other,
            .value("LEVEL") { level(&$0, $1) },
            """
            error, warning, info or debug (info)
            """
        ),
        Option("version", .other, .flag { $0.showsVersion = $1 }, "print the version"),
        Option("help", .other, .flag { $0.showsHelp = $1 }, "print this"),
    ]
}
