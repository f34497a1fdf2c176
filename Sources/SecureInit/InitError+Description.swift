internal import Linux

extension InitError: CustomStringConvertible {
    /// One line for a person: what was tried, what was found, what would fix it.
    ///
    /// Never a secret.
    var description: String {
        switch self {
        case .unknownOption(let name, let nearest):
            "unknown option \(name)"
                + (nearest.map { ": did you mean \($0)?" } ?? ": see --help")
        case .missingValue(let option, let placeholder):
            "\(option) wants a value: \(option) \(placeholder)"
        case .unexpectedValue(let option):
            "\(option) is a switch: give it no value, or true or false"
        case .keySourceOption(let error):
            "--key-source: \(error)"
        case .descriptorNotOpen(let number):
            "--key-source: descriptor \(number) is not open: start with, say, \(number)</path/to/key"
        case .invalidValue(let option, let value, let expected):
            "\(option) cannot be '\(value)': it wants \(expected)"
        case .keepWithoutClear:
            "--keep says what --clear-env leaves, but there is no --clear-env"
        case .writeBackAlone:
            "--write-back is for --view memory, without --read-only"
        case .journalAlone:
            "--journal is for a volume that nobody else writes to: without --read-only, "
                + "--shared-storage and --view memory"
        case .noCommand:
            "no command given: secure-init [options] [--] COMMAND [ARG…]; see --help"
        case .noKeySource:
            "no key source: give --key-source https://HOST, file:PATH, fd:N or env:NAME"
        case .environmentFile(let path, let line, let fault):
            "--env-file \(path)" + (line.map { ", line \($0): " } ?? " ") + "\(fault)"
        case .unknownAccount(let kind, let name):
            "\(kind) '\(name)' is not in the image's /etc/\(kind == "user" ? "passwd" : "group")"
        case .noKeyVariable(let name):
            "variable \(name), which is to hold the key, is not set"
        case .keySource(let error):
            "\(error)"
        case .localPassword(let error):
            "the password given with -local cannot be a key: \(error)"
        case .credential(let name, let reason):
            "\(name): \(reason)"
        case .noCredentials:
            "nothing to identify this device with: set MTLS_CERT and MTLS_KEY, or --cert and --key, "
                + "or --token-file"
        case .refused(let message):
            "the key server refuses: \(message)"
        case .misconfigured(let message):
            message
        case .keyTimeout(let milliseconds, let cause):
            "no key after \(Duration.milliseconds(milliseconds).sentence)"
                + (cause.map { ": \($0)" } ?? "")
        case .variable(let name, let error):
            "ENCRYPTED_\(name): \(error)"
        case .mistaken(let variables):
            "--strict: what looks encrypted would stay so: \(variables.joined(separator: "; "))"
        case .delivery(let name, let fault):
            "ENCRYPTED_\(name): \(fault)"
        case .deliveryDirectory(let path, .notEmpty):
            "--deliver-dir \(path) is not empty, and the files would hide what is in it"
        case .deliveryDirectory(let path, .busy):
            "--deliver-dir \(path) is in use by another secure-init"
        case .deliveryDirectory(let path, let errno):
            "--deliver-dir \(path): cannot mount there: \(errno): give the container "
                + "--cap-add SYS_ADMIN, or leave the option out for files without a place"
        case .volume(_, let message):
            message
        case .system(let operation, let errno):
            "\(operation): \(errno)"
        case .directory(let path, let errno):
            "--chdir '\(path)': the command cannot start there: \(errno)"
        case .start(let command, let failure):
            "command '\(command)': \(failure.explained)"
        case .interrupted(let signal):
            "\(signal) before the command was started"
        }
    }
}

extension StartedProcess.Failure {
    /// With what a person can do about it, where that is known.
    var explained: String {
        guard stage == .execution else { return "\(self)" }
        switch errno {
        case .noSuchFile: return "not found"
        case .permissionDenied: return "not executable: \(errno)"
        default: return "\(self)"
        }
    }
}

extension Duration {
    /// `90 s`, or milliseconds where it is no whole second.
    var sentence: String {
        let (seconds, attoseconds) = components
        return attoseconds == 0
            ? "\(seconds) s"
            : "\(seconds &* 1000 &+ attoseconds / 1_000_000_000_000_000) ms"
    }
}
