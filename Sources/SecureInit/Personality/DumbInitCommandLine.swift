internal import Glibc
internal import KeyProtocol
internal import Linux

/// The flags and variables of dumb-init 1.2.
struct DumbInitCommandLine {
    /// As the program was called.
    let name: String

    /// The version whose behaviour this is.
    private static let version = "dumb-init v1.2.5 (secure-init \(ProductVersion.text))\n"

    /// Reads arguments, then variables, which win where both speak.
    func read(
        _ arguments: [UnsafePointer<CChar>],
        _ environment: InheritedEnvironment
    ) -> Personality.Invocation {
        var scanner = OptionScanner(
            known: [
                .init("h", "help"), .init("c", "single-child"),
                .init("r", "rewrite", takesValue: true), .init("v", "verbose"),
                .init("V", "version"),
            ],
            permutes: false
        )
        scanner.scan(arguments)

        var settings = Personality.settings(program: "dumb-init")
        settings.signalsGroup = true
        settings.suspendsItself = true
        settings.exitCode = Self.exitCode
        for found in scanner.found {
            switch found {
            case .option("h", _): return .say(help, to: STDERR_FILENO, exitCode: 0)
            case .option("V", _): return .say(Self.version, to: STDERR_FILENO, exitCode: 0)
            case .option("v", _): settings.log.level = .debug
            case .option("c", _): settings.signalsGroup = false
            case .option(_, let value):
                guard !value.isEmpty, Option.rewrite(&settings, value) == nil else {
                    return .say(Self.rewriteUsage, to: STDERR_FILENO, exitCode: 1)
                }
            case .wrong(let message):
                return .say("\(name): \(message)\n", to: STDERR_FILENO, exitCode: 1)
            }
        }
        guard !scanner.operands.isEmpty else {
            return .say(usage, to: STDERR_FILENO, exitCode: 1)
        }
        if environment.text(named: "DUMB_INIT_DEBUG") == "1" { settings.log.level = .debug }
        if environment.text(named: "DUMB_INIT_SETSID") == "0" { settings.signalsGroup = false }
        if settings.signalsGroup { Self.signalGroup(&settings) }
        return .run(settings, command: scanner.operands)
    }

    /// A group of several processes is stopped by the one signal that none of them can refuse, and ended
    /// when the first of them has.
    private static func signalGroup(_ settings: inout Settings) {
        settings.leftovers = .group
        for signal in [Signal.terminalStop, .terminalInput, .terminalOutput]
        where settings.rewrites[signal] == nil {
            settings.rewrites[signal] = Signal.stop
        }
    }

    /// 2 for a command that cannot be executed, 1 for everything else.
    private static let exitCode: @Sendable (InitError) -> Int32 = { error in
        switch error {
        case .interrupted: error.exitCode
        case .start(_, let failure) where failure.stage == .execution: 2
        default: 1
        }
    }

    private var usage: String {
        """
        Usage: \(name) [option] program [args]
        \(name) --help says more.

        """
    }

    private static let rewriteUsage = """
        dumb-init: -r wants two signals, as in 15:3; 0 for the second drops the first. It may be \
        repeated.

        """

    private var help: String {
        Self.version + """
            Usage: \(name) [option] command [[arg] ...]

            Runs the command, passes signals on to its process group, reaps orphans.

            Options:
               -c, --single-child  signals go to the command's first process only
               -r, --rewrite s:r   send r when s arrives, nothing when r is 0; may be repeated
               -v, --verbose       say what is done
               -h, --help          print this
               -V, --version       print the version

            Variables:
               DUMB_INIT_SETSID=0  as -c
               DUMB_INIT_DEBUG=1   as -v

            """
    }
}
