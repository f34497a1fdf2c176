import Foundation
import TestSupport
import Testing

/// PostgreSQL's transactions over a loss of power.
@Suite(.requires(.fuse, .tool("pgbench")))
struct PowerLossPostgresTests {
    /// With a journal; without one, the negative control, only where there is time to look at many states.
    @Test(arguments: LongTests.areRun ? [true, false] : [true])
    func `PostgreSQL starts by itself, and every commit is there`(keepsJournal: Bool) throws {
        let options = ["--create"] + (keepsJournal ? ["--journal"] : [])
        let storage = try RecordedStorage { backing in
            try use(backing, "make", options: options)
        }
        let base = try StorageImage(reading: storage.backing)
        let start = storage.position
        let committed = try use(storage.path, "record", storage.log, options: options)
            .split(separator: "\n").map { $0.split(separator: " ").compactMap { Int($0) } }
        #expect(committed.count == 8)
        let log = StorageLog(operations: try storage.operations(), start: start, base: base)

        let directory = try TemporaryDirectory(in: "/dev/shm")
        let (states, found) = try log.visit(states: 1, limit: LongTests.areRun ? 50 : 3) {
            image,
            position in
            let path = directory("state")
            try FileManager.default.createDirectory(
                atPath: path,
                withIntermediateDirectories: false
            )
            defer { try? FileManager.default.removeItem(atPath: path) }
            try image.writeWithNotes(to: path)
            let last = committed.last { $0[1] <= position }?[0] ?? -1
            do {
                try use(path, "verify", String(last), options: options)
                return []
            } catch {
                return ["\(error)"]
            }
        }
        #expect(
            found.isEmpty == keepsJournal,
            "\(states) states: \(found.sorted().joined(separator: "\n"))"
        )
    }

    /// Mounts a volume, and has a script of `Clients` do something there.
    @discardableResult
    private func use(
        _ storage: String,
        _ action: String,
        _ argument: String = "",
        options: [String]
    ) throws -> String {
        let volume = try MountedVolume(storage: storage, format: .gocryptfs, options: options)
        // PostgreSQL does not run as root.
        for path in [volume.directory.path, volume.mountPoint] {
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
        }
        let output = try Client.start(shell: [
            "postgres.sh", action, volume.mountPoint, volume.directory("postgres"), argument,
        ]).wait(timeout: 300)
        try volume.unmount()
        guard output.status == 0 else {
            throw MountedVolume.Failure("\(action) \(argument): \(output.errorText)\(output.text)")
        }
        return output.text
    }
}
