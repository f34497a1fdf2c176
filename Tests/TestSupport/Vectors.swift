internal import Foundation

/// A file of test vectors in `Tests/Fixtures/vectors`: blocks of `name = hexadecimal`, blank lines
/// between them, `#` before comments.
public struct Vectors: Sendable {
    /// One block.
    public struct Vector: Sendable, CustomStringConvertible {
        /// File and line where it begins.
        public let description: String

        fileprivate var fields: [String: String] = [:]

        /// A field's bytes; empty for a field that is not there.
        public subscript(name: String) -> [UInt8] {
            var bytes: [UInt8] = []
            var digits = fields[name, default: ""][...]
            while let byte = UInt8(digits.prefix(2), radix: 16) {
                bytes.append(byte)
                digits = digits.dropFirst(2)
            }
            return bytes
        }

        /// A field that is a number or text.
        public func text(_ name: String) -> String { fields[name, default: ""] }
    }

    /// Every block of a file.
    ///
    /// - Throws: `CocoaError` where there is no such file, or nothing in it.
    public static func read(_ name: String) throws -> [Vector] {
        let text = try String(contentsOfFile: Fixtures.path("vectors/\(name)"), encoding: .utf8)
        var vectors: [Vector] = []
        var isOpen = false
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false)
            .enumerated()
        {
            if line.hasPrefix("#") { continue }
            let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else {
                isOpen = false
                continue
            }
            if !isOpen { vectors.append(Vector(description: "\(name):\(index + 1)")) }
            isOpen = true
            vectors[vectors.count - 1].fields[parts[0].trimmingCharacters(in: .whitespaces)] =
                parts[1].trimmingCharacters(in: .whitespaces)
        }
        guard !vectors.isEmpty else { throw CocoaError(.fileReadCorruptFile) }
        return vectors
    }
}
