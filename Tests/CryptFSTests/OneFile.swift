import Foundation
import Glibc
import TestSupport
import Testing

// A volume with one file in it, which is looked at from both sides.
extension MountedVolume {
    /// Writes to the file through the mount.
    ///
    /// - Parameters:
    ///   - text: What.
    ///   - offset: Where, in bytes.
    ///   - isSynchronized: Whether it is on the disk below then.
    /// - Throws: Where that fails.
    func write(_ text: String, at offset: Int, isSynchronized: Bool = true) throws {
        let file = open(self("file"), O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        try #require(file >= 0)
        defer { close(file) }
        try #require(pwrite(file, text, text.utf8.count, off_t(offset)) == text.utf8.count)
        if isSynchronized { try #require(fsync(file) == 0) }
    }

    /// Makes another file, on the disk below.
    func write(_ text: String, named name: String) throws {
        let file = open(self(name), O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        try #require(file >= 0)
        defer { close(file) }
        try #require(Glibc.write(file, text, text.utf8.count) == text.utf8.count)
        try #require(fsync(file) == 0)
    }

    /// Writes over a byte in the middle, which is not on the disk below then.
    func writeOver(_ name: String) throws {
        let file = open(self(name), O_WRONLY | O_CLOEXEC)
        defer { close(file) }
        try #require(pwrite(file, "b", 1, 5000) == 1)
    }

    /// Waits until the worker holds no file open that was removed; the kernel tells it a moment later.
    func letsGoOfRemoved() throws -> Bool {
        let directory = "/proc/\(try #require(worker).pid)/fd/"
        return waitUntil(timeout: 20) {
            let links = try? FileManager.default.contentsOfDirectory(atPath: directory)
            return links?.contains { link in
                let target = try? FileManager.default.destinationOfSymbolicLink(
                    atPath: directory + link
                )
                return target?.hasSuffix("(deleted)") == true
            } == false
        }
    }

    /// Reads the file through the mount.
    func read() throws -> String {
        try String(contentsOfFile: self("file"), encoding: .utf8)
    }

    /// The file as it is stored.
    func stored() throws -> Data {
        try Data(contentsOf: storedPlace())
    }

    /// Stores something else, in place, as a write is: the file stays the same.
    func put(_ content: Data) throws {
        let file = try FileHandle(forWritingTo: storedPlace())
        try file.truncate(atOffset: 0)
        try file.write(contentsOf: content)
        try file.close()
    }

    private func storedPlace() throws -> URL {
        let names = try FileManager.default.contentsOfDirectory(atPath: storage)
        let name = try #require(names.first { !$0.hasPrefix("gocryptfs.") })
        return URL(fileURLWithPath: storage + "/" + name)
    }

    /// What says who writes, and holds what is noted.
    var lockFile: URL {
        URL(fileURLWithPath: storage + "/gocryptfs.longname.secure-store-writer.name")
    }

    /// Has the lock file say that its writer was there before the machine was started last.
    func pretendRestart() throws {
        let boot = try String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)
        let text = try Data(contentsOf: lockFile)
        let range = try #require(text.range(of: Data(boot.utf8.dropLast())))
        let other: UInt8 = boot.hasPrefix("0") ? 0x31 : 0x30
        // In place: there may be no room.
        let file = try FileHandle(forUpdating: lockFile)
        try file.seek(toOffset: UInt64(range.lowerBound))
        try file.write(contentsOf: [other])
        try file.close()
    }
}

/// A text several times.
func * (text: String, count: Int) -> String {
    String(repeating: text, count: count)
}
