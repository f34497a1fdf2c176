internal import Linux

/// Another init, as which the executable behaves when it is called by its name.
///
/// It is an init then and nothing else: no key, no volume, no variable of secure-init's. What differs
/// from the original on purpose is in `docs/init.md`.
enum Personality {
    /// `tini`, under its own name or that of Docker's init.
    case tini
    /// `dumb-init`.
    case dumbInit

    /// Recognises a program's name; nil for any other.
    ///
    /// - Parameter path: The first argument; its last component counts.
    init?(calledAs path: String) {
        switch Self.lastComponent(of: path) {
        case "tini", "tini-static", "docker-init": self = .tini
        case "dumb-init": self = .dumbInit
        default: return nil
        }
    }

    /// What a command line asks for.
    enum Invocation {
        /// To run a command.
        case run(Settings, command: [UnsafePointer<CChar>])
        /// To write a text to standard output or error, and to end.
        case say(String, to: Int32, exitCode: Int32)
    }

    /// Reads the command line by the original's rules.
    ///
    /// - Parameters:
    ///   - path: The first argument, as the program was called.
    ///   - arguments: The others.
    ///   - environment: The original's variables, among others.
    /// - Returns: What to do.
    func read(
        calledAs path: String,
        _ arguments: [UnsafePointer<CChar>],
        _ environment: InheritedEnvironment
    ) -> Invocation {
        let name = Self.lastComponent(of: path)
        return switch self {
        case .tini: TiniCommandLine(name: name).read(arguments, environment)
        case .dumbInit: DumbInitCommandLine(name: path).read(arguments, environment)
        }
    }

    /// What both have in common: an init, and nothing else.
    static func settings(program: String) -> Settings {
        var settings = Settings()
        settings.log.program = program
        settings.log.level = .warning
        settings.withoutVolume = true
        settings.passesEnvironment = true
        settings.keepsCapabilities = true
        settings.answersStatus = false
        settings.adoptsOrphans = false
        settings.leftovers = .spared
        return settings
    }

    private static func lastComponent(of path: String) -> String {
        path.split(separator: "/").last.map(String.init) ?? ""
    }
}
