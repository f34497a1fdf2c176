internal import Glibc
internal import Synchronization

/// Where the filesystem's warnings go: standard error, unless somebody else wants them.
public enum VolumeLog {
    private static let receiver = Mutex<(@Sendable (String) -> Void)?>(nil)

    /// Has warnings handed over instead of written.
    ///
    /// - Parameter body: Called from any thread with one line: a sentence and sorted `key=value`.
    public static func send(to body: @escaping @Sendable (String) -> Void) {
        receiver.withLock { $0 = body }
    }

    fileprivate static func write(_ line: String) {
        if let body = receiver.withLock({ $0 }) {
            body(line)
            return
        }
        // One line is one `write(2)`.
        var bytes = Array("warning: \(line)\n".utf8)
        bytes.withUnsafeMutableBytes { _ = Glibc.write(2, $0.baseAddress, $0.count) }
    }
}

/// What the filesystem has to tell.
enum Log {
    /// Something a person should know of that stops nothing.
    ///
    /// - Parameters:
    ///   - sentence: Short, without a full stop.
    ///   - fields: Shown sorted; never a secret, never a decrypted name.
    static func warning(_ sentence: String, _ fields: [String: String] = [:]) {
        var line = sentence
        for (key, value) in fields.sorted(by: { $0.key < $1.key }) {
            line += " \(key)=\(quoted(value))"
        }
        VolumeLog.write(line)
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
