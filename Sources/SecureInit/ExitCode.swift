/// What secure-init ends with when the command did not decide it.
///
/// From `sysexits.h`, where a shell has no number of its own. Documented in `docs/secure-init.md`.
public enum ExitCode: Int32, Sendable {
    /// An option or argument is wrong.
    case usage = 64
    /// A variable or the volume does not decrypt.
    case data = 65
    /// The key was not obtained in time.
    case unavailable = 69
    /// The operating system refused something.
    case system = 71
    /// The volume could not be read, written or mounted, or its process died.
    case inputOutput = 74
    /// The key server refuses to hand out the key.
    case refused = 77
    /// A setting, credential or volume configuration is wrong.
    case configuration = 78
    /// The command cannot be executed.
    case notExecutable = 126
    /// The command does not exist.
    case notFound = 127
}
