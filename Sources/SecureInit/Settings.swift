internal import CryptFS
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

    /// What is ended after the command has, where secure-init is not process 1.
    ///
    /// As process 1 it is everything in any case, for the kernel would kill it a moment later.
    enum Leftovers {
        /// Whatever came from the command.
        case descendants
        /// The command's process group.
        case group
        /// Nothing.
        case spared
    }

    // Key.
    var keySource: String?
    var certificatePath: String?
    var privateKeyPath: String?
    var authorityPath: String?
    var tokenPath: String?
    var credentialPath: String?
    var enrolmentTokenPath: String?
    var keyTimeout: Int64?

    // Volume.
    var withoutVolume = false
    var storage = "./storage"
    var mountPoint = "./decrypted"
    var configuration: String?
    var creation = Creation.automatic
    var volumeFormat = VolumeKind.gocryptfs
    var readOnly = false
    var sharesStorage = false
    var keepsJournal = false
    var showsInMemory = false
    var writesBack = false
    var view: WorkerJob.View {
        guard showsInMemory else { return .mounted }
        return writesBack ? .memoryWrittenBack : .memory
    }

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
    var delivery = Delivery()
    var isStrict = false
    /// Whether the command gets every variable as it is, and none is read here.
    var passesEnvironment = false

    // Supervision.
    var signalsGroup = false
    var rewrites: [Signal: Signal?] = [:]
    var remappedExits: Set<Int32> = []
    /// Whether orphans come to secure-init also where it is not process 1.
    var adoptsOrphans = true
    /// Whether a signal to stop that reaches secure-init stops it, too, behind the command.
    var suspendsItself = false
    var parentDeathSignal: Signal?
    var warnsOnReap = false
    var stopGrace: Int64 = 3000
    var leftovers = Leftovers.descendants
    /// What to end with where the command was not started.
    var exitCode: @Sendable (InitError) -> Int32 = { $0.exitCode }

    // Lines, and answers.
    var answersStatus = true
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
