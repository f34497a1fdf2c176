internal import AccessRules
internal import BalenaAPI
internal import Glibc
internal import KeyProtocol
internal import KeyServer

/// How a run ended: the numbers of `sysexits.h`.
enum ExitStatus: Int32 {
    case success = 0

    /// A check found something that needs mending.
    case failure = 1

    /// A volume is damaged: as `gocryptfs -fsck` ends.
    case damaged = 26

    /// The arguments make no sense.
    case usage = 64

    /// Input is malformed, or does not decrypt.
    case data = 65

    /// A service could not be reached or offered.
    case unavailable = 69

    /// The operating system refused.
    case system = 71

    /// Something that must not be replaced is there.
    case exists = 73

    /// Reading or writing failed.
    case inputOutput = 74

    /// Somebody else does not permit it.
    case denied = 77

    /// The configuration is missing or wrong.
    case configuration = 78

    /// The one translation of errors into exit codes; `nil` for the parser's own.
    init?(of error: any Error) {
        switch error {
        case let error as KeyServerError: self = Self.of(error)
        case let error as BalenaError: self = Self.of(error)
        case is RuleError: self = .usage
        case is VariableError: self = .data
        case is KeyFormatError: self = .data
        default: return nil
        }
    }

    private static func of(_ error: BalenaError) -> ExitStatus {
        switch error {
        case .tokenRefused, .writeRefused: .denied
        case .notFound: .failure
        case .noAPI, .misconfigured: .configuration
        case .rejected, .answer, .variable: .data
        case .contended, .rateLimited, .gaveUp, .connection: .unavailable
        }
    }

    private static func of(_ error: KeyServerError) -> ExitStatus {
        switch error {
        case .file, .storage: .inputOutput
        case .fileTooLarge, .deviceList, .wrongRootKey, .sealing, .brokenBackup, .signingRequest,
            .share, .wrongShares, .refused, .brokenAudit:
            .data
        case .exists, .deviceExists, .sealed, .keyExists: .exists
        case .noAuthority, .certificate, .sharedCertificate, .noKey, .key, .newerStore, .noSeal,
            .notInFile, .noAuditKey:
            .configuration
        case .issuing, .stopped: .system
        case .deviceName, .hostName, .listenAddress, .noDevice, .label,
            .auditMark, .noSuchKey, .noToken, .tokenKeyName, .generationInUse, .noGrant, .noPolicy,
            .shareCount, .auditTrimmed, .noCheckpoint:
            .usage
        case .listen, .noServer: .unavailable
        }
    }
}

/// A failure that a command words itself.
struct CommandFailure: Error {
    /// How the run ends.
    let status: ExitStatus

    /// One line for a person.
    let message: String

    /// Words a failure.
    init(_ status: ExitStatus, _ message: String) {
        self.status = status
        self.message = message
    }
}
