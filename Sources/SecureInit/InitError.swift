internal import KeyProtocol
internal import KeySources
internal import Linux

/// Why the command was not started, or was ended early.
enum InitError: Error {
    /// No option has this name.
    case unknownOption(String, nearest: String?)
    /// The option wants a value and has none.
    case missingValue(option: String, placeholder: String)
    /// The option is a switch and was given a value it cannot take.
    case unexpectedValue(option: String)
    /// The value is not of the kind the option takes.
    case invalidValue(option: String, value: String, expected: String)
    /// What `--key-source` says is no key source; the value may be a secret put in the wrong place.
    case keySourceOption(KeySourceError)
    /// The descriptor that the key is to come from was not handed over.
    case descriptorNotOpen(Int32)
    /// `--keep` without `--clear-env`, which leaves everything anyway.
    case keepWithoutClear
    /// `--write-back` without `--view memory`, or with `--read-only`.
    case writeBackAlone
    /// `--journal` with `--read-only`, `--shared-storage` or `--view memory`.
    case journalAlone
    /// No command to run.
    case noCommand
    /// Something is to be decrypted and nothing says with what.
    case noKeySource
    /// A file of variables cannot be read, or one of its lines, counted from 1.
    case environmentFile(path: String, line: Int?, EnvironmentFile.Fault)
    /// The user or group is not in the image's files.
    case unknownAccount(kind: String, name: String)

    /// The variable that was to hold the key is not there.
    case noKeyVariable(name: String)
    /// A local source did not give a key.
    case keySource(KeySourceError)
    /// The password given with `-local` cannot be a key.
    case localPassword(KeyFormatError)
    /// A credential could not be read.
    case credential(String, reason: String)
    /// Nothing to show the server.
    case noCredentials
    /// The server refuses for good.
    case refused(String)
    /// What the device was given cannot work.
    case misconfigured(String)
    /// The time for the key is over.
    case keyTimeout(milliseconds: Int64, cause: String?)

    /// A variable does not decrypt.
    case variable(name: String, VariableError)

    /// Variables look encrypted and would stay so; a name and a reason each.
    case mistaken([String])
    /// A variable that is to be delivered as a file cannot be one.
    case delivery(name: String, Delivery.Fault)
    /// The directory of `--deliver-dir` cannot take the files.
    case deliveryDirectory(String, Errno)

    /// The volume cannot be opened, mounted or kept.
    case volume(ExitCode, String)

    /// A call of the system's failed.
    case system(String, Errno)
    /// The command cannot start in the directory of `--chdir`.
    case directory(String, Errno)
    /// The command could not be started.
    case start(command: String, StartedProcess.Failure)
    /// A signal came before the command was started.
    case interrupted(Signal)
}

extension InitError {
    /// The status to end with.
    var exitCode: Int32 {
        switch self {
        case .unknownOption, .missingValue, .unexpectedValue, .invalidValue, .noCommand,
            .noKeySource, .keySourceOption, .keepWithoutClear, .writeBackAlone, .journalAlone:
            ExitCode.usage.rawValue
        case .unknownAccount, .noKeyVariable, .credential, .noCredentials, .misconfigured,
            .localPassword, .descriptorNotOpen, .directory, .environmentFile, .delivery:
            ExitCode.configuration.rawValue
        case .keySource(let error):
            error.isAboutTheKey
                ? ExitCode.configuration.rawValue : ExitCode.unavailable.rawValue
        case .refused:
            ExitCode.refused.rawValue
        case .keyTimeout:
            ExitCode.unavailable.rawValue
        case .variable, .mistaken:
            ExitCode.data.rawValue
        case .volume(let code, _):
            code.rawValue
        case .system, .deliveryDirectory:
            ExitCode.system.rawValue
        case .start(_, let failure):
            failure.exitCode.rawValue
        case .interrupted(let signal):
            128 + signal.rawValue
        }
    }
}

extension StartedProcess.Failure {
    /// As a shell has it: 127 for what is not there, 126 for what cannot be executed.
    var exitCode: ExitCode {
        guard stage == .execution else { return .system }
        return errno == .noSuchFile || errno == .notDirectory ? .notFound : .notExecutable
    }
}

extension KeySourceError {
    /// Whether reading worked and what was read is no key, or the source's name is wrong.
    var isAboutTheKey: Bool {
        switch self {
        case .cannotOpen, .cannotRead: false
        default: true
        }
    }

    /// Whether waiting may help: the file is still to be put there, or filled.
    var mayPass: Bool {
        switch self {
        case .cannotOpen, .cannotRead, .empty: true
        default: false
        }
    }
}
