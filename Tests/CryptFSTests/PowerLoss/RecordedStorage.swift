import Foundation
import TestSupport
import Testing

/// A storage directory whose changes are written down, in order, and that fails when told to: another
/// file system under the volume's, served by `recording-filesystem`.
final class RecordedStorage {
    /// Where the volume's storage is.
    let path: String

    /// What really holds it.
    let backing: String

    /// Where it is written down what is done.
    var log: String { directory("log") }

    private let directory: TemporaryDirectory
    private let process: Subprocess

    /// - Parameter prepare: Makes what is there before anything is recorded; gets the directory.
    /// - Throws: What failed.
    init(holding prepare: (String) throws -> Void = { _ in }) throws {
        directory = try TemporaryDirectory(in: "/dev/shm")
        (path, backing) = (directory("storage"), directory("backing"))
        for path in [path, backing] {
            try FileManager.default.createDirectory(
                atPath: path,
                withIntermediateDirectories: false
            )
        }
        try prepare(backing)
        let (device, path) = (Self.device(path), path)
        process = try Subprocess.start(
            Executables.ofTests("recording-filesystem"),
            [backing, path, directory("log"), directory("faults")]
        )
        guard waitUntil(timeout: 20, { Self.device(path) != device }) else {
            throw MountedVolume.Failure("not mounted: \(process.errorText)")
        }
    }

    deinit {
        umount2(path, Int32(MNT_DETACH))
        _ = waitUntil(timeout: 10) { process.status != nil }
    }

    /// How many bytes the log has: a point in time.
    var position: Int {
        var status = stat()
        return stat(directory("log"), &status) == 0 ? Int(status.st_size) : 0
    }

    /// Everything so far.
    func operations() throws -> [StorageOperation] {
        try StorageOperation.parse(directory.read("log"))
    }

    /// Has operations fail from now on, until ``recover()``.
    ///
    /// - Parameters:
    ///   - number: An errno.
    ///   - operations: The letters of `recording.h`; with `/` half of a write arrives.
    /// - Throws: `POSIXError`.
    func fail(_ number: Int32, _ operations: String) throws {
        try overwriteFaults("\(number) \(operations)")
    }

    /// Has everything succeed again.
    func recover() throws {
        try overwriteFaults("0 -")
    }

    private func overwriteFaults(_ line: String) throws {
        // In place and of one length, for it is read at any moment.
        let text = line.padding(toLength: 64, withPad: " ", startingAt: 0)
        let file = open(directory("faults"), O_WRONLY | O_CLOEXEC)
        defer { close(file) }
        guard pwrite(file, text, text.utf8.count, 0) == text.utf8.count else {
            throw POSIXError(.init(rawValue: errno) ?? .EIO)
        }
    }

    private static func device(_ path: String) -> dev_t {
        var status = stat()
        return stat(path, &status) == 0 ? status.st_dev : 0
    }
}
