internal import Linux

/// What flags and `SECURE_INIT_*` variables said, before it is known to make sense.
struct Settings {
    /// What to do with an empty storage directory.
    enum Creation {
        /// It becomes a new volume.
        case automatic
        /// It is an error.
        case never
    }

    // Key.
    var keySource: String?
    var certificatePath: String?
    var privateKeyPath: String?
    var authorityPath: String?
    var tokenPath: String?
    var keyTimeout: Int64?

    // Volume.
    var withoutVolume = false
    var storage = "./storage"
    var mountPoint = "./decrypted"
    var configuration: String?
    var creation = Creation.automatic
    var readOnly = false

    // Command.
    var user: String?
    var keepsCapabilities = false
    var noNewPrivileges = false
    var directory: String?
    var fileModeMask: Int32?

    // Environment.
    var clearsEnvironment = false
    var keptVariables: [NamePattern] = []
    var environmentFiles: [String] = []

    // Supervision.
    var signalsGroup = false
    var rewrites: [Signal: Signal?] = [:]
    var remappedExits: Set<Int32> = []
    var becomesSubreaper = false
    var parentDeathSignal: Signal?
    var warnsOnReap = false
    var stopGrace: Int64 = 3000

    // Lines.
    var log = Log()

    // The original program's.
    var decrypts = false
    var hostName: String?
    var port: String?
    var localPassword: SecretDeposit?
    var forcesUnmount = false

    // Asked for instead of a run.
    var showsHelp = false
    var showsVersion = false
}
