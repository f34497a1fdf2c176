internal import Cryptography
internal import Glibc
internal import KeyServer

/// Where a secret comes from.
enum SecretInput {
    /// Reads a file, or standard input where the path is `-`.
    ///
    /// - Parameters:
    ///   - path: A file, a pipe, or `-`.
    ///   - limit: In bytes.
    ///   - keepsNewline: Leave one line's end at the end in place.
    /// - Returns: The secret.
    /// - Throws: ``KeyServerError``.
    static func read(
        _ path: String,
        limit: Int = StateFile.maximumCount,
        keepsNewline: Bool = false
    ) throws(KeyServerError) -> SecretBytes {
        let contents =
            path == "-"
            ? try StateFile.read(0, named: "standard input", limit: limit)
            : try StateFile.read(path, limit: limit)
        return keepsNewline ? contents : withoutNewline(contents)
    }

    /// Moves a variable's value out of the environment: its copy there is overwritten, so that
    /// `/proc/PID/environ` and child processes no longer have it.
    ///
    /// - Returns: `nil` where the variable is missing or empty.
    static func take(_ variable: String) -> SecretBytes? {
        guard let value = getenv(variable) else { return nil }
        let bytes = UnsafeMutableRawBufferPointer(start: value, count: strlen(value))
        let secret = SecretBytes(copying: UnsafeRawBufferPointer(bytes))
        Wipe.zero(bytes)
        unsetenv(variable)
        return secret.count == 0 ? nil : secret
    }

    /// Whether standard input is a terminal, where a value would be seen as it is typed.
    static var isTerminal: Bool { isatty(0) == 1 }

    private static func withoutNewline(_ contents: SecretBytes) -> SecretBytes {
        let ends = contents.withUnsafeBytes { bytes in
            guard bytes.last == UInt8(ascii: "\n") else { return 0 }
            return bytes.dropLast().last == UInt8(ascii: "\r") ? 2 : 1
        }
        return ends == 0 ? contents : contents.slice(0..<contents.count - ends)
    }
}
