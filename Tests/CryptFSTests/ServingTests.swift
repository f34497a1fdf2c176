import Foundation
import TestSupport
import Testing

/// What serving costs: memory and allocations.
@Suite(.requires(.fuse), .serialized)
struct ServingTests {
    @Test func `memory that requests took is given back when none come`() throws {
        let volume = try MountedVolume(format: .gocryptfs)
        try fill(16 << 20, to: volume("file"))
        let pid = try #require(volume.worker).pid
        let busy = try residentBytes(pid)
        // 1 MiB in and 1 MiB out, of at least one thread.
        let enough = 1 << 20
        let deadline = Date(timeIntervalSinceNow: 20)
        var idle = busy
        while idle > busy - enough, Date() < deadline {
            usleep(100_000)
            idle = try residentBytes(pid)
        }
        #expect(idle <= busy - enough, "\(busy) bytes busy, \(idle) idle")
        try volume.unmount()
    }

    @Test func `no processor is used while nobody asks`() throws {
        let volume = try MountedVolume(format: .gocryptfs)
        let pid = try #require(volume.worker).pid
        // Requests close together: somebody looks out for the next.
        for index in 0..<500 { #expect(access(volume("missing-\(index)"), F_OK) == -1) }
        sleep(4)
        let before = try processorTicks(pid)
        sleep(2)
        // Looking on would be two hundred.
        #expect(try processorTicks(pid) - before <= 1)
        try volume.unmount()
    }

    @Test func `reading and writing allocate nothing`() throws {
        let volume = try MountedVolume(format: .gocryptfs)
        try fill(1 << 20, to: volume("file"))
        let worker = try #require(volume.worker)
        let file = try DirectFile(volume("file"))
        try file.read(times: 20)
        try file.write(times: 20)
        let count = 300
        // Asking for the count is not free of them, nor is a thread's first request.
        let limit = 10
        func least(_ body: () throws -> Void) throws -> Int {
            try (0..<3).map { _ in try allocations(of: worker, body) }.min() ?? .max
        }
        let reading = try least { try file.read(times: count) }
        #expect(reading <= limit, "\(reading) allocations in \(count) reads")
        let writing = try least { try file.write(times: count) }
        #expect(writing <= limit, "\(writing) allocations in \(count) writes")
        // The control: looking names up does allocate, and is counted.
        let looking = try allocations(of: worker) {
            for index in 0..<count { #expect(access(volume("missing-\(index)"), F_OK) == -1) }
        }
        #expect(looking > 2 * count, "\(looking) allocations in \(count) look-ups")
        file.end()
        try volume.unmount()
    }

    @Test(.requires(.cacheDropping, .tool("python3")))
    func `directories deeper than a stack are opened again, and forgotten`() throws {
        let volume = try MountedVolume(format: .gocryptfs)
        // Threads have 512 KiB, of which freeing a node took about 200 bytes for each above it.
        let depth = Client.number("SECURE_STORE_TEST_DEPTH", default: 3500, long: 20_000)
        try Client.run("deep.py", [volume.mountPoint, String(depth)], timeout: 1200)
        try volume.unmount()
    }

    @Test func `a directory that is only held open costs one descriptor`() throws {
        let volume = try MountedVolume(format: .gocryptfs)
        let descriptors = "/proc/\(try #require(volume.worker).pid)/fd"
        let manager = FileManager.default
        let before = try manager.contentsOfDirectory(atPath: descriptors).count
        let count = 400
        var held: [Int32] = []
        for index in 0..<count {
            let path = volume("directory-\(index)")
            try #require(mkdir(path, 0o700) == 0)
            held.append(open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC))
        }
        let taken = try manager.contentsOfDirectory(atPath: descriptors).count - before
        #expect(taken >= count && taken < count + count / 2, "\(taken) for \(count)")
        // Listed and synchronised only after it is gone.
        try #require(rmdir(volume("directory-7")) == 0)
        let listing = try #require(fdopendir(held[7]))
        var names: Set<String> = []
        while let entry = readdir(listing) {
            names.insert(
                withUnsafePointer(to: &entry.pointee.d_name) {
                    String(cString: UnsafeRawPointer($0).assumingMemoryBound(to: CChar.self))
                }
            )
        }
        #expect(names.isSubset(of: [".", ".."]), "\(names)")
        #expect(fsync(held[7]) == 0)
        closedir(listing)
        for (index, descriptor) in held.enumerated() where index != 7 { close(descriptor) }
        try volume.unmount()
    }

    @Test func `the worker does not grow however much files come and go`() throws {
        let volume = try MountedVolume(format: .gocryptfs)
        let pid = try #require(volume.worker).pid
        // What is allocated once comes first.
        for round in 0..<3 { try churn(volume, round) }
        let before = try settledBytes(pid)
        let end = Date(timeIntervalSinceNow: Client.isLong ? 3600 : 4)
        var round = 3
        while Date() < end {
            try churn(volume, round)
            round += 1
        }
        let grown = try settledBytes(pid) - before
        #expect(grown < 2 << 20, "\(grown) bytes more after \(round) rounds")
        try volume.unmount()
    }

    /// A directory of files, read, renamed and removed again.
    private func churn(_ volume: MountedVolume, _ round: Int) throws {
        let directory = volume("round-\(round)")
        try FileManager.default.createDirectory(
            atPath: directory,
            withIntermediateDirectories: false
        )
        for index in 0..<100 {
            let path = "\(directory)/file-\(index)"
            try fill(20_000, to: path)
            #expect(try Data(contentsOf: URL(fileURLWithPath: path)).count == 20_000)
            #expect(rename(path, path + ".new") == 0)
        }
        try fill(4 << 20, to: directory + "/large")
        try FileManager.default.removeItem(atPath: directory)
    }

    private func fill(_ count: Int, to path: String) throws {
        let file = open(path, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0o600)
        try #require(file >= 0)
        defer { close(file) }
        let piece = [UInt8](repeating: 7, count: min(count, 1 << 20))
        for _ in 0..<max(count / piece.count, 1) {
            #expect(write(file, piece, piece.count) == piece.count)
        }
        #expect(fsync(file) == 0)
    }

    /// Once nothing goes on any more.
    private func settledBytes(_ pid: Int32) throws -> Int {
        sleep(3)
        return try residentBytes(pid)
    }

    private func residentBytes(_ pid: Int32) throws -> Int {
        1024 * (try statusNumber("VmRSS", of: "/proc/\(pid)/status"))
    }

    private func statusNumber(_ name: String, of path: String) throws -> Int {
        let text = try String(contentsOfFile: path, encoding: .utf8)
        let line = text.split(separator: "\n").first { $0.hasPrefix(name + ":") }
        let words = try #require(line).split { $0 == " " || $0 == "\t" }
        return try #require(Int(words[1]))
    }

    /// What a process has had of the processors, in hundredths of a second.
    private func processorTicks(_ pid: Int32) throws -> Int {
        let text = try String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)
        // Behind the name, which may have spaces, come fields 3 and on; 14 and 15 are the times.
        let fields = try #require(text.split(separator: ")").last).split(separator: " ")
        let (user, system) = (Int(fields[11]), Int(fields[12]))
        return try #require(user) + #require(system)
    }

    private func allocations(of worker: Subprocess, _ body: () throws -> Void) throws -> Int {
        let before = try allocationCount(worker)
        try body()
        return try allocationCount(worker) - before
    }

    private func allocationCount(_ worker: Subprocess) throws -> Int {
        let answers = lines(of: worker).count
        worker.signal(SIGUSR1)
        let deadline = Date(timeIntervalSinceNow: 10)
        while lines(of: worker).count == answers {
            try #require(Date() < deadline, "no answer")
            usleep(2000)
        }
        return try #require(lines(of: worker).last.flatMap { Int($0) })
    }

    private func lines(of worker: Subprocess) -> [Substring] {
        worker.text.split(separator: "\n").filter { $0.hasPrefix("allocations ") }
            .map { $0.dropFirst("allocations ".count) }
    }
}

/// A file whose every read and write is a request.
private final class DirectFile {
    // O_DIRECT, which Swift's module of the C library leaves out.
    #if arch(arm64)
    private static let direct: Int32 = 0o200000
    #else
    private static let direct: Int32 = 0o40000
    #endif

    private let descriptor: Int32
    private let block = UnsafeMutableRawBufferPointer.allocate(byteCount: 4096, alignment: 4096)

    init(_ path: String) throws {
        descriptor = open(path, O_RDWR | Self.direct | O_CLOEXEC)
        try #require(descriptor >= 0)
        block.initializeMemory(as: UInt8.self, repeating: 3)
    }

    deinit {
        block.deallocate()
    }

    func read(times count: Int) throws {
        for _ in 0..<count { try #require(pread(descriptor, block.baseAddress, 4096, 0) == 4096) }
    }

    func write(times count: Int) throws {
        for _ in 0..<count {
            try #require(pwrite(descriptor, block.baseAddress, 4096, 4096) == 4096)
        }
    }

    func end() {
        close(descriptor)
    }
}
