internal import Glibc
internal import KeyProtocol
internal import Linux

/// The flags and variables of tini 0.19.
struct TiniCommandLine {
    /// As the program was called, without directories.
    let name: String

    /// The version whose behaviour this is; Docker reads it.
    private static let version = "tini version 0.19.0 - secure-init \(ProductVersion.text)"

    /// Reads arguments, then variables, which win where both speak.
    func read(
        _ arguments: [UnsafePointer<CChar>],
        _ environment: InheritedEnvironment
    ) -> Personality.Invocation {
        if arguments.count == 1, strcmp(arguments[0], "--version") == 0 {
            return .say("\(Self.version)\n", to: STDOUT_FILENO, exitCode: 0)
        }
        var scanner = OptionScanner(
            known: [
                .init("h"), .init("s"), .init("p", takesValue: true), .init("v"), .init("w"),
                .init("g"), .init("e", takesValue: true), .init("l"),
            ],
            permutes: !environment.contains("POSIXLY_CORRECT")
        )
        scanner.scan(arguments)

        var settings = Personality.settings(program: name)
        settings.exitCode = Self.exitCode
        var verbosity: Int32 = 1
        for found in scanner.found {
            switch found {
            case .option("v", _): verbosity += 1
            case .option(let letter, let value):
                if let answer = apply(letter, value, to: &settings) { return answer }
            case .wrong(let message):
                return .say("\(name): \(message)\n\(usage)", to: STDERR_FILENO, exitCode: 1)
            }
        }
        guard !scanner.operands.isEmpty else {
            return .say(usage, to: STDERR_FILENO, exitCode: 1)
        }
        settings.log.level = Log.Level(tiniVerbosity: verbosity)
        TiniVariables(environment).apply(to: &settings)
        return .run(settings, command: scanner.operands)
    }

    /// Does what an option says; an answer ends the program instead.
    private func apply(
        _ letter: Character,
        _ value: String,
        to settings: inout Settings
    ) -> Personality.Invocation? {
        switch letter {
        case "h": return .say(usage, to: STDOUT_FILENO, exitCode: 0)
        case "l": return .say(Self.license, to: STDOUT_FILENO, exitCode: 0)
        case "s": settings.adoptsOrphans = true
        case "w": settings.warnsOnReap = true
        case "g": settings.signalsGroup = true
        case "p": return refusal(letter, value, Option.parentDeath(&settings, value))
        case "e": return refusal(letter, value, Option.remap(&settings, value))
        default: break
        }
        return nil
    }

    private func refusal(
        _ letter: Character,
        _ value: String,
        _ expected: String?
    ) -> Personality.Invocation? {
        expected.map {
            .say(
                "\(name): -\(letter) cannot be '\(value)': it wants \($0)\n",
                to: STDERR_FILENO,
                exitCode: 1
            )
        }
    }

    /// 127 and 126 for what `execvp` calls absent and forbidden, 1 for everything else.
    private static let exitCode: @Sendable (InitError) -> Int32 = { error in
        switch error {
        case .interrupted: return error.exitCode
        case .start(_, let failure) where failure.stage == .execution:
            switch failure.errno {
            case .noSuchFile: return ExitCode.notFound.rawValue
            case .permissionDenied: return ExitCode.notExecutable.rawValue
            default: return 1
            }
        default: return 1
        }
    }

    private var usage: String {
        """
        \(name) (\(Self.version))
        Usage: \(name) [OPTIONS] PROGRAM -- [ARGS] | --version

        Runs PROGRAM, passes signals on to it, reaps orphans.

        Options:
          --version     print the version; only where it is the only argument
          -h            print this
          -s            adopt orphans when not process 1
          -p SIGNAL     treat the end of the parent as this signal, as in -p SIGKILL
          -v            say more; up to three times
          -w            a line for every orphan reaped
          -g            signals go to the command's process group
          -e EXIT_CODE  end with 0 when the command ends with this, 0 to 255; may be repeated
          -l            print the licence

        Variables:
          TINI_SUBREAPER           as -s, whatever the value
          TINI_VERBOSITY           0 to 3 (1)
          TINI_KILL_PROCESS_GROUP  as -g, whatever the value


        """
    }

    private static let license = """
        This is secure-init \(ProductVersion.text), which stands in for tini. It is no part of tini and holds \
        none of its code.
        Licensed under the Apache License, Version 2.0: https://www.apache.org/licenses/LICENSE-2.0

        """
}
