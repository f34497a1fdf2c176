internal import Glibc
internal import Linux

/// Lines on standard error, each written by one call.
struct Log {
    /// How bad, or how interesting.
    enum Level: Int, Comparable {
        case error
        case warning
        case info
        case debug

        static func < (left: Level, right: Level) -> Bool { left.rawValue < right.rawValue }

        /// The name as written in options and lines.
        var name: String {
            switch self {
            case .error: "error"
            case .warning: "warning"
            case .info: "info"
            case .debug: "debug"
            }
        }

        /// Reads a name.
        init?(parsing text: String) {
            switch text {
            case "error": self = .error
            case "warning", "warn": self = .warning
            case "info": self = .info
            case "debug": self = .debug
            default: return nil
            }
        }
    }

    /// The shape of a line.
    enum Format {
        case text
        case json
    }

    /// What a field may hold.
    enum Value {
        case text(String)
        case number(Int64)

        /// Nothing to show; such a field is left out.
        var isEmpty: Bool {
            if case .text(let text) = self { text.isEmpty } else { false }
        }
    }

    /// As whom the lines speak.
    var program = "secure-init"
    var format = Format.text
    var level = Level.info

    /// How far secure-init is; part of every line of JSON, and of errors as text.
    var phase = Phase.starting

    /// Remembers the last error or warning, where one wants to know.
    var memory: LogMemory?

    /// Longest line, in bytes: what a pipe takes in one piece.
    private static let maximumCount = 4096

    /// Something failed.
    func error(_ sentence: String, _ fields: KeyValuePairs<String, Value> = [:]) {
        write(.error, sentence, fields)
    }

    /// Something is not as it should be, and goes on.
    func warning(_ sentence: String, _ fields: KeyValuePairs<String, Value> = [:]) {
        write(.warning, sentence, fields)
    }

    /// A phase began or ended.
    func info(_ sentence: String, _ fields: KeyValuePairs<String, Value> = [:]) {
        write(.info, sentence, fields)
    }

    /// Something of interest to who looks for a fault.
    func debug(_ sentence: @autoclosure () -> String, _ fields: KeyValuePairs<String, Value> = [:])
    {
        guard level >= .debug else { return }
        write(.debug, sentence(), fields)
    }

    /// Writes a line, unless its level is not wanted.
    func write(_ level: Level, _ sentence: String, _ fields: KeyValuePairs<String, Value>) {
        if level <= .warning { memory?.remember(level, sentence, phase) }
        guard level <= self.level else { return }
        var fields = fields.filter { !$0.value.isEmpty }
        if format == .json || level == .error { fields.append(("phase", .text(phase.rawValue))) }
        fields.sort { $0.key < $1.key }
        var line: [UInt8] = []
        line.reserveCapacity(256)
        switch format {
        case .text: appendText(&line, level, sentence, fields)
        case .json: Self.appendJSON(&line, level, sentence, fields)
        }
        if line.count >= Self.maximumCount { line.removeSubrange((Self.maximumCount - 1)...) }
        line.append(UInt8(ascii: "\n"))
        Self.emit(line)
    }

    /// Writes what a helper has to say: level (1 byte) ‖ text.
    func relay(_ payload: UnsafeRawBufferPointer) {
        let level = payload.first.map(Int.init).flatMap(Level.init)
        write(level ?? .warning, String(decoding: payload.dropFirst(), as: UTF8.self), [:])
    }

    private func appendText(
        _ line: inout [UInt8],
        _ level: Level,
        _ sentence: String,
        _ fields: [(key: String, value: Value)]
    ) {
        line += "\(program): ".utf8
        if level == .warning { line += "warning: ".utf8 }
        if level == .error { line += "error: ".utf8 }
        Self.appendPrintable(&line, sentence)
        for (key, value) in fields {
            line += " \(key)=".utf8
            switch value {
            case .number(let number):
                line += "\(number)".utf8
            case .text(let text):
                let plain = !text.isEmpty && text.utf8.allSatisfy { $0 > 0x20 && $0 != 0x22 }
                if plain {
                    Self.appendPrintable(&line, text)
                } else {
                    JSONValue.appendQuoted(&line, text)
                }
            }
        }
    }

    private static func appendJSON(
        _ line: inout [UInt8],
        _ level: Level,
        _ sentence: String,
        _ fields: [(key: String, value: Value)]
    ) {
        line += "{\"time\":\"\(UniversalTime.now)\",\"level\":\"\(level.name)\",\"message\":".utf8
        JSONValue.appendQuoted(&line, sentence)
        for (key, value) in fields {
            line += ",\"\(key)\":".utf8
            switch value {
            case .number(let number): line += "\(number)".utf8
            case .text(let text): JSONValue.appendQuoted(&line, text)
            }
        }
        line.append(UInt8(ascii: "}"))
    }

    /// Control characters become `?`: a message must not be able to forge a line of its own.
    private static func appendPrintable(_ line: inout [UInt8], _ text: String) {
        for byte in text.utf8 { line.append(byte < 0x20 || byte == 0x7f ? 0x3f : byte) }
    }

    /// A reader that does not read must not stop the supervisor: after a moment the line is lost.
    private static func emit(_ line: [UInt8]) {
        var room = WaitList()
        room.add(STDERR_FILENO, .writable)
        try? room.wait(until: .now.advanced(byMilliseconds: 100))
        guard room.isReady(STDERR_FILENO) else { return }
        line.withUnsafeBytes { _ = Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }
}

extension Log.Value: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral {
    init(stringLiteral value: String) { self = .text(value) }
    init(integerLiteral value: Int64) { self = .number(value) }
}
