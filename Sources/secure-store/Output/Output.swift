internal import Cryptography
internal import FoundationEssentials
internal import Glibc

/// Writes results to standard output; what is not a result goes to standard error.
enum Output {
    /// Writes a line.
    ///
    /// - Throws: ``CommandFailure`` where nobody reads any more.
    static func line(_ text: String) throws {
        try bytes(SecretBytes(copying: "\(text)\n".utf8))
    }

    /// Writes a value as one JSON object, its keys sorted.
    ///
    /// - Throws: ``CommandFailure`` where nobody reads any more.
    static func json(_ value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        var data = try encoder.encode(value)
        data.append(UInt8(ascii: "\n"))
        defer { data.withUnsafeMutableBytes { Wipe.zero($0) } }
        try write(data)
    }

    /// Writes bytes that may be a secret, as they are.
    ///
    /// - Throws: ``CommandFailure`` where nobody reads any more.
    static func bytes(_ secret: SecretBytes) throws {
        try secret.withUnsafeBytes { try write($0) }
    }

    /// Whether a person reads standard output.
    static var isTerminal: Bool { isatty(1) == 1 }

    private static func write(_ data: Data) throws {
        try data.withUnsafeBytes { try write($0) }
    }

    private static func write(_ bytes: UnsafeRawBufferPointer) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let part = UnsafeRawBufferPointer(rebasing: rest)
            let count = Glibc.write(1, part.baseAddress, part.count)
            guard count > 0 else {
                if errno == EINTR { continue }
                throw CommandFailure(.inputOutput, "cannot write to standard output")
            }
            rest = rest.dropFirst(count)
        }
    }
}
