internal import Glibc

/// The variables by which tini is told what to do, which secure-init knows, too.
///
/// They stay in the environment: the command sees them, as it does under tini.
struct TiniVariables {
    private let environment: InheritedEnvironment

    init(_ environment: InheritedEnvironment) {
        self.environment = environment
    }

    /// Sets what they say.
    ///
    /// The first two count whatever their value, even an empty one.
    func apply(to settings: inout Settings) {
        if environment.contains("TINI_SUBREAPER") { settings.adoptsOrphans = true }
        if environment.contains("TINI_KILL_PROCESS_GROUP") { settings.signalsGroup = true }
        if environment.contains("TINI_VERBOSITY") {
            // As tini reads it: what is no number is 0.
            let verbosity = atoi(environment.text(named: "TINI_VERBOSITY") ?? "")
            settings.log.level = Log.Level(tiniVerbosity: verbosity)
        }
    }
}

extension Log.Level {
    /// tini counts from 0, for nothing but errors, to 3.
    init(tiniVerbosity verbosity: Int32) {
        switch verbosity {
        case ...0: self = .error
        case 1: self = .warning
        case 2: self = .info
        default: self = .debug
        }
    }
}
