import Foundation

/// One change of the storage, or one synchronisation, as `recording-filesystem` wrote it down.
struct StorageOperation {
    /// What was done; files are known by their inode numbers, names by their paths from the top.
    enum Kind {
        case createFile(UInt64, String)
        case makeDirectory(UInt64, String)
        case makeLink(UInt64, String, target: [UInt8])
        case link(String, String)
        case rename(String, String, isExchange: Bool)
        case unlink(String)
        case removeDirectory(String)
        case write(UInt64, offset: Int, [UInt8])
        case truncate(UInt64, Int)
        case punch(UInt64, offset: Int, count: Int)
        case synchronize(UInt64)

        /// The file whose content was changed; nil where none was.
        var changedContent: UInt64? {
            switch self {
            case .createFile(let number, _), .write(let number, _, _), .truncate(let number, _),
                .punch(let number, _, _):
                number
            default: nil
            }
        }
    }

    let kind: Kind

    /// Where the log ended once it was done.
    let position: Int

    struct Unreadable: Error {
        let line: String
    }

    /// Takes a log apart.
    static func parse(_ log: [UInt8]) throws -> [StorageOperation] {
        var operations: [StorageOperation] = []
        var start = 0
        while let end = log[start...].firstIndex(of: UInt8(ascii: "\n")) {
            let line = String(decoding: log[start..<end], as: UTF8.self)
            let fields = line.split(
                separator: " ",
                maxSplits: 5,
                omittingEmptySubsequences: false
            )
            guard fields.count == 6, let number = UInt64(fields[1]), let first = Int(fields[2]),
                let second = Int(fields[3]), let count = Int(fields[4])
            else { throw Unreadable(line: line) }
            let data = Array(log[(end + 1)..<(end + 1 + count)])
            let names = fields[5].split(separator: "//", maxSplits: 1).map(String.init)
            let (name, other) = (names.first ?? "", names.count > 1 ? "/" + names[1] : "")
            let kind: Kind
            switch fields[0] {
            case "c": kind = .createFile(number, name)
            case "d": kind = .makeDirectory(number, name)
            case "l": kind = .makeLink(number, name, target: data)
            case "h": kind = .link(name, other)
            case "r": kind = .rename(name, other, isExchange: first & 2 != 0)
            case "u": kind = .unlink(name)
            case "x": kind = .removeDirectory(name)
            case "w": kind = .write(number, offset: first, data)
            case "t": kind = .truncate(number, first)
            case "p": kind = .punch(number, offset: first, count: second)
            case "s": kind = .synchronize(number)
            default: throw Unreadable(line: line)
            }
            start = end + 1 + count
            operations.append(StorageOperation(kind: kind, position: start))
        }
        return operations
    }
}
