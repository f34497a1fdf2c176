internal import Cryptography
internal import Glibc

/// Asks a person for a secret on the terminal, without echo.
enum Prompt {
    private static let maximumCount = 65_536
    private static let interrupt: UInt8 = 3
    private static let endOfFile: UInt8 = 4
    private static let erase: UInt8 = 127
    private static let eraseLine: UInt8 = 21

    /// Whether there is a terminal to ask on.
    static var isPossible: Bool {
        let terminal = open("/dev/tty", O_RDWR | O_CLOEXEC)
        guard terminal >= 0 else { return false }
        close(terminal)
        return true
    }

    /// Asks for a line.
    ///
    /// - Parameters:
    ///   - question: Shown before the cursor.
    ///   - confirming: Ask twice, for what cannot be checked.
    /// - Returns: What was typed, without the line's end.
    /// - Throws: ``CommandFailure`` where there is no terminal, or the person gave up.
    static func ask(_ question: String, confirming: Bool = false) throws -> SecretBytes {
        let answer = try askOnce(question)
        if confirming, try !askOnce("\(question) (again)").isEqual(to: answer) {
            throw CommandFailure(.data, "the two are not the same")
        }
        return answer
    }

    private static func askOnce(_ question: String) throws -> SecretBytes {
        let terminal = open("/dev/tty", O_RDWR | O_CLOEXEC)
        guard terminal >= 0 else {
            throw CommandFailure(
                .usage,
                "no terminal to ask on; give the secret on standard input or in a file"
            )
        }
        defer { close(terminal) }
        var usual = termios()
        guard tcgetattr(terminal, &usual) == 0 else {
            throw CommandFailure(.system, "the terminal cannot be set up")
        }
        var silent = usual
        // Signals off as well: Ctrl-C would end the program and leave the terminal silent.
        silent.c_lflag &= ~tcflag_t(ECHO | ICANON | ISIG)
        guard tcsetattr(terminal, TCSAFLUSH, &silent) == 0 else {
            throw CommandFailure(.system, "the terminal cannot be set up")
        }
        defer {
            tcsetattr(terminal, TCSAFLUSH, &usual)
            write(terminal, "\n")
        }
        write(terminal, "\(question): ")
        return try readLine(from: terminal)
    }

    private static func readLine(from terminal: Int32) throws -> SecretBytes {
        var count = 0
        let line = try SecretBytes(count: maximumCount) { buffer in
            while count < buffer.count {
                var byte: UInt8 = 0
                defer { byte = 0 }
                guard read(terminal, &byte, 1) == 1 else { return }
                switch byte {
                case UInt8(ascii: "\n"), UInt8(ascii: "\r"), endOfFile: return
                case interrupt: throw CommandFailure(.usage, "interrupted")
                case erase, 8: count = max(0, count - 1)
                case eraseLine: count = 0
                default:
                    buffer[count] = byte
                    count += 1
                }
            }
        }
        return line.slice(0..<count)
    }

    private static func write(_ terminal: Int32, _ text: String) {
        let bytes = Array(text.utf8)
        _ = bytes.withUnsafeBytes { Glibc.write(terminal, $0.baseAddress, $0.count) }
    }
}
