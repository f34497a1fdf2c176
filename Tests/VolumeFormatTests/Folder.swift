import Glibc
import Testing

/// Directory entries as bytes: names in these tests are not always UTF-8.
enum Folder {
    static func create(_ path: String) throws {
        try #require(mkdir(path, 0o700) == 0, "\(path): \(errno)")
    }

    static func write(_ files: [[UInt8]: [UInt8]], to folder: String) throws {
        try create(folder)
        for (name, content) in files {
            let descriptor = open(path(name, in: folder), O_WRONLY | O_CREAT | O_EXCL, 0o600)
            try #require(descriptor >= 0, "\(name): \(errno)")
            defer { close(descriptor) }
            var written = 0
            while written < content.count {
                let count = content.withUnsafeBytes {
                    Glibc.write(
                        descriptor,
                        $0.baseAddress?.advanced(by: written),
                        $0.count - written
                    )
                }
                try #require(count > 0, "\(errno)")
                written += count
            }
        }
    }

    static func read(_ folder: String) throws -> [[UInt8]: [UInt8]] {
        var files: [[UInt8]: [UInt8]] = [:]
        for name in try entries(folder) {
            let descriptor = open(path(name, in: folder), O_RDONLY)
            try #require(descriptor >= 0, "\(name): \(errno)")
            defer { close(descriptor) }
            var content: [UInt8] = []
            var buffer = [UInt8](repeating: 0, count: 1 << 20)
            while true {
                let count = Glibc.read(descriptor, &buffer, buffer.count)
                try #require(count >= 0, "\(errno)")
                if count == 0 { break }
                content += buffer[..<count]
            }
            files[name] = content
        }
        return files
    }

    static func entries(_ folder: String) throws -> [[UInt8]] {
        let stream = try #require(opendir(folder), "\(folder): \(errno)")
        defer { closedir(stream) }
        var names: [[UInt8]] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
            if name != [0x2e], name != [0x2e, 0x2e] { names.append(name) }
        }
        return names
    }

    private static func path(_ name: [UInt8], in folder: String) -> [CChar] {
        (Array(folder.utf8) + [0x2f] + name + [0]).map { CChar(bitPattern: $0) }
    }
}
