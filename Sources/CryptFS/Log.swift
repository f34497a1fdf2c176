internal import Glibc

/// One line is one `write(2)` to stderr.
enum Log {
    /// Something a person should know of that stops nothing.
    ///
    /// - Parameters:
    ///   - sentence: Short, without a full stop.
    ///   - fields: Shown sorted; never a secret, never a decrypted name.
    static func warning(_ sentence: String, _ fields: [String: String] = [:]) {
        var line = "warning: " + sentence
        for (key, value) in fields.sorted(by: { $0.key < $1.key }) {
            line += " \(key)=\(quoted(value))"
        }
        line += "\n"
        var line8 = Array(line.utf8)
        line8.withUnsafeMutableBytes { _ = write(2, $0.baseAddress, $0.count) }
    }

    private static func quoted(_ value: String) -> String {
        let isPlain = value.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && $0 != 0x22 && $0 != 0x5c }
        guard !isPlain || value.isEmpty else { return value }
        var quoted = "\""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\"", "\\": quoted += "\\\(scalar)"
            case _ where scalar.value < 0x20 || scalar.value == 0x7f: quoted += "?"
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}
