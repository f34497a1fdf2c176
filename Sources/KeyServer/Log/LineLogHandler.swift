internal import Glibc
public import Logging

/// Writes each entry as one line with one `write(2)` to standard error.
///
/// Text: `TIME LEVEL Sentence. key=value …`; JSON: one object. Keys are sorted. Values that could
/// break a line out of its line, or forge a field, are quoted.
public struct LineLogHandler: LogHandler {
    /// How a line looks.
    public enum Format: String, Sendable, CaseIterable {
        /// For people.
        case text

        /// For collectors.
        case json
    }

    /// What is left out below.
    public var logLevel: Logger.Level

    /// Fields of every line.
    public var metadata: Logger.Metadata = [:]

    private let format: Format

    /// Makes a handler.
    public init(format: Format, level: Logger.Level) {
        self.format = format
        logLevel = level
    }

    /// A field of every line.
    public subscript(metadataKey key: String) -> Logger.MetadataValue? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    /// Writes one line.
    public func log(event: LogEvent) {
        var fields = metadata
        if let more = event.metadata { fields.merge(more) { $1 } }
        let line = LogLine(
            time: .now,
            level: event.level,
            message: "\(event.message)",
            fields: fields.map { ($0.key, "\($0.value)") }
        )
        var bytes = Array((format == .json ? line.json : line.text).utf8)
        bytes.append(UInt8(ascii: "\n"))
        // A log that cannot be written has nobody to complain to.
        _ = bytes.withUnsafeBytes { Glibc.write(2, $0.baseAddress, $0.count) }
    }
}
