internal import ArgumentParser
internal import KeyServer
internal import Logging

/// How a long-running command logs.
struct LogOptions: ParsableArguments {
    /// The formats by name.
    enum Format: String, ExpressibleByArgument, CaseIterable {
        case text, json

        var handlerFormat: LineLogHandler.Format {
            switch self {
            case .text: .text
            case .json: .json
            }
        }
    }

    /// The levels by name.
    enum Level: String, ExpressibleByArgument, CaseIterable {
        case debug, info, notice, warning, error

        var loggerLevel: Logger.Level {
            switch self {
            case .debug: .debug
            case .info: .info
            case .notice: .notice
            case .warning: .warning
            case .error: .error
            }
        }
    }

    @Option(help: "How a line of the log looks.")
    var logFormat = Format.text

    @Option(help: "What is left out of the log.")
    var logLevel = Level.info

    /// A logger to standard error.
    func logger() -> Logger {
        let (format, level) = (logFormat.handlerFormat, logLevel.loggerLevel)
        return Logger(label: "secure-store") { _ in LineLogHandler(format: format, level: level) }
    }
}
