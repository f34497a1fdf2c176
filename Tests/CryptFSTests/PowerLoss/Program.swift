import Foundation
import Testing

/// A program that changes files of a mounted volume, one call after the other, and knows what it was
/// promised.
struct Program {
    let volume: MountedVolume
    let storage: RecordedStorage
    private(set) var promised = PromisedFiles()
    private var generator = SeededGenerator(seed: 7)

    init(_ volume: MountedVolume, on storage: RecordedStorage) {
        (self.volume, self.storage) = (volume, storage)
    }

    /// Creates a file, or empties it.
    mutating func create(_ path: String) throws {
        let isThere = promised.content(path) != nil
        promised.change(path, to: [], at: storage.position, isNew: !isThere)
        try withFile(path, O_WRONLY | O_CREAT | O_TRUNC) { _ in }
    }

    /// Writes bytes that nothing else has.
    mutating func write(_ path: String, at offset: Int, count: Int) throws {
        let bytes = (0..<count).map { _ in UInt8.random(in: 1...255, using: &generator) }
        var content = promised.content(path) ?? []
        let missing = offset + count - content.count
        if missing > 0 { content += [UInt8](repeating: 0, count: missing) }
        content.replaceSubrange(offset..<offset + count, with: bytes)
        promised.change(path, to: content, at: storage.position, isNew: false)
        // The kernel hands it on with the closing.
        try withFile(path, O_WRONLY) { file in
            #expect(pwrite(file, bytes, count, off_t(offset)) == count)
        }
    }

    mutating func append(_ path: String, count: Int) throws {
        try write(path, at: promised.content(path)?.count ?? 0, count: count)
    }

    mutating func truncate(_ path: String, to size: Int) throws {
        var content = promised.content(path) ?? []
        content = Array(content.prefix(size))
        content += [UInt8](repeating: 0, count: size - content.count)
        promised.change(path, to: content, at: storage.position, isNew: false)
        #expect(Glibc.truncate(volume(path), off_t(size)) == 0)
    }

    /// `fsync` of a file, and of its directory.
    mutating func synchronize(_ path: String) throws {
        try withFile(path, O_RDONLY) { #expect(fsync($0) == 0) }
        try synchronizeDirectory(of: path)
        promised.promise(path, at: storage.position)
    }

    /// `fsync` of a name's directory: nothing but the name is promised.
    mutating func synchronizeName(_ path: String) throws {
        try synchronizeDirectory(of: path)
        promised.promise(path, at: storage.position)
    }

    mutating func rename(_ path: String, to other: String) throws {
        promised.name(path, other, keepsFirst: false, at: storage.position)
        #expect(Glibc.rename(volume(path), volume(other)) == 0)
    }

    mutating func link(_ path: String, to other: String) throws {
        promised.name(path, other, keepsFirst: true, at: storage.position)
        #expect(Glibc.link(volume(path), volume(other)) == 0)
    }

    mutating func unlink(_ path: String) throws {
        promised.change(path, to: nil, at: storage.position, isNew: true)
        #expect(Glibc.unlink(volume(path)) == 0)
    }

    func makeDirectory(_ path: String) throws {
        #expect(mkdir(volume(path), 0o755) == 0)
    }

    func removeDirectory(_ path: String) throws {
        #expect(rmdir(volume(path)) == 0)
    }

    private func synchronizeDirectory(of path: String) throws {
        let parent = (volume(path) as NSString).deletingLastPathComponent
        let directory = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        try #require(directory >= 0)
        defer { close(directory) }
        #expect(fsync(directory) == 0)
    }

    private func withFile(_ path: String, _ flags: Int32, _ body: (Int32) -> Void) throws {
        let file = open(volume(path), flags | O_CLOEXEC, 0o644)
        try #require(file >= 0, "\(path): errno \(errno)")
        body(file)
        #expect(close(file) == 0)
    }
}
