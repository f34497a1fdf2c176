internal import Cryptography
internal import Linux

/// A file read whole into locked memory.
enum SecretFile {
    /// Reads a file.
    ///
    /// - Parameters:
    ///   - path: Symbolic links are followed.
    ///   - limit: Most bytes to read.
    /// - Returns: All there is.
    /// - Throws: `Errno`; `.fileTooLarge` where there is more.
    static func read(path: String, limit: Int) throws(Errno) -> SecretBytes {
        let file = try InputFile(path: path)
        guard try file.kind() != .directory else { throw .isDirectory }
        return try read(file, limit: limit)
    }

    /// Reads an open file from where it stands.
    ///
    /// - Parameters:
    ///   - file: Not a directory.
    ///   - limit: Most bytes to read.
    /// - Returns: All there is.
    /// - Throws: `Errno`; `.fileTooLarge` where there is more.
    static func read(_ file: borrowing InputFile, limit: Int) throws(Errno) -> SecretBytes {
        var buffer = SecretBuffer(capacity: 65_536)
        while true {
            let count = try buffer.append(reading: { space throws(Errno) in
                try file.read(into: space)
            })
            if count > 0 { continue }
            guard buffer.count == buffer.capacity else { return buffer.copy() }
            guard buffer.capacity < limit else { throw .fileTooLarge }
            var larger = SecretBuffer(capacity: min(buffer.capacity * 4, limit))
            _ = buffer.withUnsafeBytes { larger.append($0) }
            buffer = larger
        }
    }

    /// Whether there is something to open.
    static func exists(_ path: String) -> Bool {
        (try? InputFile(path: path)) != nil
    }
}
