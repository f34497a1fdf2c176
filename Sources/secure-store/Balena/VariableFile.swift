internal import Cryptography
internal import KeyProtocol

/// A file of `NAME=VALUE` lines, as `docker run --env-file` reads it.
enum VariableFile {
    /// Reads the lines: empty ones and those that begin with `#` are passed over; everything behind
    /// the first `=` is the value.
    ///
    /// - Parameter path: A file, or `-`.
    /// - Returns: Names and values, in order.
    /// - Throws: ``CommandFailure``, without any of the text but a line's number.
    static func read(_ path: String) throws -> [(name: String, value: SecretBytes)] {
        let text = try SecretInput.read(path, keepsNewline: true)
        var variables: [(name: String, value: SecretBytes)] = []
        for (index, range) in lines(of: text).enumerated() {
            let line = text.slice(range)
            let (isPassedOver, equals) = line.withUnsafeBytes { bytes in
                (
                    bytes.isEmpty || bytes.first == UInt8(ascii: "#"),
                    bytes.firstIndex(of: UInt8(ascii: "="))
                )
            }
            if isPassedOver { continue }
            let name = line.withUnsafeBytes {
                String(decoding: $0[..<(equals ?? 0)], as: UTF8.self)
            }
            guard let equals, VariableName(name).isPortable else {
                throw CommandFailure(.data, "line \(index + 1) of \(path) is not NAME=VALUE")
            }
            variables.append((name, line.slice(equals + 1..<line.count)))
        }
        return variables
    }

    /// Where the lines are, without their ends.
    private static func lines(of text: SecretBytes) -> [Range<Int>] {
        text.withUnsafeBytes { bytes in
            var ranges: [Range<Int>] = []
            var start = 0
            while start < bytes.count {
                let end = bytes[start...].firstIndex(of: 0x0A) ?? bytes.count
                let isCRLF = end > start && bytes[end - 1] == 0x0D
                ranges.append(start..<(isCRLF ? end - 1 : end))
                start = end + 1
            }
            return ranges
        }
    }
}
