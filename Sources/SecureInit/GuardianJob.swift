internal import Cryptography
internal import Linux

/// What a guardian needs to know: what it takes away, and how it says so.
///
///     charge (1 byte) ‖ format of lines (1: 0 for text, 1 for JSON) ‖ level (1)
struct GuardianJob {
    let charge: GuardianProcess.Charge

    /// By which the guardian says what it did; its phase is that of unmounting.
    let log: Log

    init(_ charge: GuardianProcess.Charge, _ log: Log) {
        self.charge = charge
        self.log = log
    }

    /// The job as it crosses a pipe.
    var encoded: SecretBytes {
        SecretBytes(copying: [
            charge.rawValue, log.format == .json ? 1 : 0,
            UInt8(truncatingIfNeeded: log.level.rawValue),
        ])
    }

    /// Reads what ``encoded`` wrote, which arrives in one piece; nil for anything else.
    init?(reading descriptor: Int32) {
        var bytes: (UInt8, UInt8, UInt8) = (0, 0, 0)
        let count = try? withUnsafeMutableBytes(of: &bytes) { bytes throws(Errno) in
            try InputFile.read(descriptor, into: bytes)
        }
        guard count == 3, let charge = GuardianProcess.Charge(rawValue: bytes.0),
            let level = Log.Level(rawValue: Int(bytes.2))
        else { return nil }
        self.charge = charge
        log = Log(format: bytes.1 == 1 ? .json : .text, level: level, phase: .unmounting)
    }
}
