internal import Glibc

/// A signal's number, 1 to 64.
///
/// The corresponding C constants are `SIGTERM` and its kin.
public struct Signal: RawRepresentable, Equatable, Hashable, Sendable {
    /// The number.
    public let rawValue: Int32

    /// Wraps a number that the kernel knows.
    ///
    /// - Parameter rawValue: 1 to 64; anything else is nil.
    public init?(rawValue: Int32) {
        guard (1...64).contains(rawValue) else { return nil }
        self.rawValue = rawValue
    }

    private init(_ known: Int32) {
        rawValue = known
    }

    /// `SIGHUP`.
    public static let hangup = Signal(SIGHUP)
    /// `SIGINT`.
    public static let interrupt = Signal(SIGINT)
    /// `SIGQUIT`.
    public static let quit = Signal(SIGQUIT)
    /// `SIGILL`.
    public static let illegalInstruction = Signal(SIGILL)
    /// `SIGTRAP`.
    public static let breakpoint = Signal(SIGTRAP)
    /// `SIGABRT`.
    public static let abort = Signal(SIGABRT)
    /// `SIGBUS`.
    public static let busError = Signal(SIGBUS)
    /// `SIGFPE`.
    public static let arithmeticError = Signal(SIGFPE)
    /// `SIGSEGV`.
    public static let memoryFault = Signal(SIGSEGV)
    /// `SIGSYS`.
    public static let badSystemCall = Signal(SIGSYS)
    /// `SIGKILL`.
    public static let kill = Signal(SIGKILL)
    /// `SIGPIPE`.
    public static let brokenPipe = Signal(SIGPIPE)
    /// `SIGTERM`.
    public static let terminate = Signal(SIGTERM)
    /// `SIGCHLD`.
    public static let child = Signal(SIGCHLD)
    /// `SIGCONT`.
    public static let `continue` = Signal(SIGCONT)
    /// `SIGSTOP`.
    public static let stop = Signal(SIGSTOP)
    /// `SIGTSTP`.
    public static let terminalStop = Signal(SIGTSTP)
    /// `SIGTTIN`.
    public static let terminalInput = Signal(SIGTTIN)
    /// `SIGTTOU`.
    public static let terminalOutput = Signal(SIGTTOU)

    /// Names of the standard signals, from 1 on.
    private static let names = [
        "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2",
        "PIPE", "ALRM", "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG",
        "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS",
    ]

    /// Where the real-time signals begin for a program of the C library's.
    private static let firstRealTime: Int32 = 34

    /// Reads a number, or a name with or without `SIG`; real-time ones as `RTMIN+n` or `RTMAX-n`.
    public init?(parsing text: some StringProtocol) {
        if let number = Int32(text) {
            self.init(rawValue: number)
            return
        }
        var name = text.uppercased()
        if name.hasPrefix("SIG") { name.removeFirst(3) }
        if let index = Self.names.firstIndex(of: name) {
            self.init(Int32(index) + 1)
        } else if name.hasPrefix("RTMIN") {
            self.init(base: Self.firstRealTime, offset: name.dropFirst(5), sign: "+")
        } else if name.hasPrefix("RTMAX") {
            self.init(base: 64, offset: name.dropFirst(5), sign: "-")
        } else {
            return nil
        }
    }

    private init?(base: Int32, offset: Substring, sign: Character) {
        guard !offset.isEmpty else {
            self.init(rawValue: base)
            return
        }
        guard offset.first == sign, let distance = Int32(offset.dropFirst()),
            (0...30).contains(distance)
        else { return nil }
        self.init(rawValue: sign == "+" ? base + distance : base - distance)
    }
}

extension Signal: CustomStringConvertible {
    /// `SIGTERM`, `SIGRTMIN+3`, or the number where there is no name.
    public var description: String {
        let index = Int(rawValue) - 1
        if index < Self.names.count { return "SIG\(Self.names[index])" }
        if rawValue < Self.firstRealTime { return "signal \(rawValue)" }
        return rawValue == Self.firstRealTime
            ? "SIGRTMIN" : "SIGRTMIN+\(rawValue - Self.firstRealTime)"
    }
}

/// A set of signals in the kernel's form: bit n-1 stands for signal n.
public struct SignalSet: OptionSet, Sendable {
    /// The bits.
    public let rawValue: UInt64

    /// Wraps the kernel's bits.
    public init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    /// A set of these.
    public init(_ signals: [Signal]) {
        rawValue = signals.reduce(0) { $0 | 1 << UInt64($1.rawValue - 1) }
    }

    /// Every signal there is.
    public static let all = SignalSet(rawValue: .max)

    /// The two that the C library keeps for its threads.
    public static let ofLibrary = SignalSet(rawValue: 1 << 31 | 1 << 32)

    /// Whether the signal is in the set.
    public func contains(_ signal: Signal) -> Bool {
        rawValue >> UInt64(signal.rawValue - 1) & 1 == 1
    }
}
