internal import Linux

/// The last line that told of something wrong.
final class LogMemory {
    /// A line, without its fields.
    struct Line {
        let level: Log.Level
        let sentence: String
        let phase: Phase
        let moment: Instant
    }

    /// The line; nil while all is well.
    private(set) var line: Line?

    /// Takes the place of the one before.
    func remember(_ level: Log.Level, _ sentence: String, _ phase: Phase) {
        line = Line(level: level, sentence: sentence, phase: phase, moment: .now)
    }
}
