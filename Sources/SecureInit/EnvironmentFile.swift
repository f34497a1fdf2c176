internal import Cryptography
internal import Linux

/// A file of variables, as Docker's `--env-file` reads it.
///
/// A line is `NAME=VALUE`, taken as it is to its end: no quotes, no expansion, no continuation.
/// White space before the name, empty lines and lines that begin with `#` are skipped, a byte order
/// mark and a carriage return at a line's end too. Values are treated as secrets, all of them.
struct EnvironmentFile {
    /// A line with a variable.
    struct Line {
        /// Where `NAME=VALUE` is in the file.
        let range: Range<Int>
        /// How long the name is.
        let nameCount: Int
        /// The line's number, from 1.
        let number: Int
    }

    /// What is wrong with a file or a line; none holds anything of the line.
    enum Fault: Error, Equatable {
        /// The kernel does not let us read it.
        case unreadable(Errno)
        /// It might never end, or have no content.
        case notRegular(FileKind)
        /// More than ``EnvironmentFile/maximumCount`` bytes.
        case tooLarge
        /// No variable can carry it.
        case holdsNUL
        /// There is no `=`.
        case noValue
        /// There is nothing before the `=`.
        case noName
        /// White space in the name.
        case spaceInName
        /// The name begins with `SECURE_INIT_`.
        case setting
    }

    /// The largest file, in bytes.
    static let maximumCount = 1 << 20

    /// Where it lies.
    let path: String
    /// What it holds.
    let contents: SecretBytes
    /// Its variables, in order.
    let lines: [Line]

    /// Reads a file.
    ///
    /// - Parameter path: A regular file; symbolic links are followed.
    /// - Throws: ``InitError/environmentFile(path:line:_:)``.
    init(reading path: String) throws(InitError) {
        self.path = path
        do throws(Fault) {
            contents = try Self.contents(of: path)
        } catch {
            throw .environmentFile(path: path, line: nil, error)
        }
        lines = try contents.withUnsafeBytes { bytes throws(InitError) in
            try Self.lines(of: bytes, path)
        }
    }

    private static func contents(of path: String) throws(Fault) -> SecretBytes {
        let kind: FileKind
        do throws(Errno) {
            let file = try InputFile(path: path)
            kind = try file.kind()
            if kind == .regular { return try SecretFile.read(file, limit: maximumCount + 1) }
        } catch {
            throw error == .fileTooLarge ? .tooLarge : .unreadable(error)
        }
        throw .notRegular(kind)
    }

    private static func lines(
        of bytes: UnsafeRawBufferPointer,
        _ path: String
    ) throws(InitError) -> [Line] {
        var lines: [Line] = []
        var start = bytes.starts(with: [0xef, 0xbb, 0xbf]) ? 3 : 0
        var number = 0
        while start < bytes.count {
            let newline = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
            number += 1
            do throws(Fault) {
                if let (range, nameCount) = try variable(in: bytes, start..<newline) {
                    lines.append(Line(range: range, nameCount: nameCount, number: number))
                }
            } catch {
                throw .environmentFile(path: path, line: number, error)
            }
            start = newline + 1
        }
        return lines
    }

    /// Where a line's variable is; nil where there is none to be.
    private static func variable(
        in bytes: UnsafeRawBufferPointer,
        _ line: Range<Int>
    ) throws(Fault) -> (Range<Int>, nameCount: Int)? {
        guard let start = line.first(where: { !isSpace(bytes[$0]) }) else { return nil }
        guard bytes[start] != UInt8(ascii: "#") else { return nil }
        let isReturn = bytes[line.upperBound - 1] == UInt8(ascii: "\r")
        let text = bytes[start..<line.upperBound - (isReturn ? 1 : 0)]
        guard !text.contains(0) else { throw .holdsNUL }
        guard let equals = text.firstIndex(of: UInt8(ascii: "=")) else { throw .noValue }
        let name = text[..<equals]
        guard !name.isEmpty else { throw .noName }
        guard !name.contains(where: isSpace) else { throw .spaceInName }
        guard !name.starts(with: Option.variablePrefix.utf8) else { throw .setting }
        return (text.startIndex..<text.endIndex, name.count)
    }

    /// Of ASCII: space and 9...13.
    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || (0x09...0x0d).contains(byte)
    }
}

extension EnvironmentFile.Fault: CustomStringConvertible {
    /// What is wrong, and what would mend it.
    var description: String {
        switch self {
        case .unreadable(let errno): "cannot be read: \(errno)"
        case .notRegular(let kind): "is \(kind), not a regular file"
        case .tooLarge: "has more than \(EnvironmentFile.maximumCount >> 20) MiB"
        case .holdsNUL: "there is a NUL byte, which no variable can carry"
        case .noValue: "there is no '=': a line is NAME=VALUE, or begins with '#'"
        case .noName: "there is no name before the '='"
        case .spaceInName: "there is white space before the '=': a line is NAME=VALUE"
        case .setting:
            "SECURE_INIT_ variables are read before this file: give it as a flag or a variable"
        }
    }
}
