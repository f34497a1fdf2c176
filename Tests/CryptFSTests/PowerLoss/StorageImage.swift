import Foundation

/// A storage directory in memory.
struct StorageImage {
    /// What a name stands for.
    enum Entry: Hashable {
        case file(UInt64)
        case directory(UInt64)
        case link(target: [UInt8])
    }

    /// Every name, as a path from the top that begins with a slash.
    var entries: [String: Entry] = [:]

    /// What files hold, by number.
    var contents: [UInt64: [UInt8]] = [:]

    /// Does what was done.
    mutating func apply(_ operation: StorageOperation.Kind) {
        switch operation {
        case .createFile(let number, let path):
            entries[path] = .file(number)
            contents[number] = []
        case .makeDirectory(let number, let path): entries[path] = .directory(number)
        case .makeLink(_, let path, let target): entries[path] = .link(target: target)
        case .link(let from, let to): entries[to] = entries[from]
        case .rename(let from, let to, let isExchange): rename(from, to, isExchange)
        case .unlink(let path), .removeDirectory(let path): entries[path] = nil
        case .write(let number, let offset, let bytes):
            reserve(number, offset + bytes.count)
            contents[number]?.replaceSubrange(offset..<offset + bytes.count, with: bytes)
        case .truncate(let number, let size):
            reserve(number, size)
            contents[number]?.removeSubrange(size...)
        case .punch(let number, let offset, let count):
            let end = min(offset + count, contents[number]?.count ?? 0)
            guard offset < end else { return }
            contents[number]?.replaceSubrange(
                offset..<end,
                with: repeatElement(0, count: end - offset)
            )
        case .synchronize: break
        }
    }

    private mutating func reserve(_ number: UInt64, _ count: Int) {
        let missing = count - (contents[number, default: []].count)
        if missing > 0 {
            contents[number, default: []].append(contentsOf: repeatElement(0, count: missing))
        }
    }

    private mutating func rename(_ from: String, _ to: String, _ isExchange: Bool) {
        func taken(_ path: String) -> [(String, Entry)] {
            let moved = entries.filter { $0.key == path || $0.key.hasPrefix(path + "/") }
            for key in moved.keys { entries[key] = nil }
            return moved.map { (String($0.key.dropFirst(path.count)), $0.value) }
        }
        let moved = taken(from)
        let other = taken(to)
        for (rest, entry) in moved { entries[to + rest] = entry }
        if isExchange { for (rest, entry) in other { entries[from + rest] = entry } }
    }

    /// Makes it a real directory, which is empty.
    func write(to directory: String) throws {
        for (path, entry) in entries.sorted(by: { $0.key < $1.key }) {
            switch entry {
            case .directory:
                try FileManager.default.createDirectory(
                    atPath: directory + path,
                    withIntermediateDirectories: false
                )
            case .file(let number):
                try Data(contents[number] ?? []).write(
                    to: URL(fileURLWithPath: directory + path)
                )
            case .link(let target):
                try FileManager.default.createSymbolicLink(
                    atPath: directory + path,
                    withDestinationPath: String(decoding: target, as: UTF8.self)
                )
            }
        }
    }
}

extension StorageImage {
    /// Reads a real directory; files have their inode numbers.
    init(reading directory: String) throws {
        self.init()
        for place in try FileManager.default.subpathsOfDirectory(atPath: directory) {
            let path = directory + "/" + place
            var status = stat()
            guard lstat(path, &status) == 0 else { continue }
            let number = UInt64(status.st_ino)
            switch status.st_mode & S_IFMT {
            case S_IFDIR: entries["/" + place] = .directory(number)
            case S_IFREG:
                entries["/" + place] = .file(number)
                contents[number] = try Array(Data(contentsOf: URL(fileURLWithPath: path)))
            default: continue
            }
        }
    }
}
