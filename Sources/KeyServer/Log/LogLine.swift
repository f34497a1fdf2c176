/// One entry of the log, before it is written.
struct LogLine {
    var time: Timestamp
    var level: String
    var message: String
    var fields: [(key: String, value: String)]

    init(
        time: Timestamp,
        level: some CustomStringConvertible,
        message: String,
        fields: [(String, String)]
    ) {
        self.time = time
        self.level = level.description
        self.message = message
        self.fields = fields.sorted { $0.0 < $1.0 }.map { (key: $0.0, value: $0.1) }
    }

    /// `2026-01-31T23:59:59.123Z info Key released address=192.0.2.1 device=kiosk-1`.
    var text: String {
        fields.reduce("\(time) \(level) \(message)") { line, field in
            "\(line) \(field.key)=\(Self.bare(field.value) ? field.value : JSONString.encode(field.value))"
        }
    }

    /// The same as one object.
    var json: String {
        let head = [("time", "\(time)"), ("level", level), ("message", message)]
        let pairs = (head + fields).map { "\(JSONString.encode($0.0)):\(JSONString.encode($0.1))" }
        return "{\(pairs.joined(separator: ","))}"
    }

    /// Whether a value can stand without quotes: no space, quote, `=` or control character.
    private static func bare(_ value: String) -> Bool {
        !value.isEmpty
            && value.utf8.allSatisfy { byte in
                (0x21...0x7e).contains(byte) && byte != UInt8(ascii: "\"")
                    && byte != UInt8(ascii: "=") && byte != UInt8(ascii: "\\")
            }
    }
}
