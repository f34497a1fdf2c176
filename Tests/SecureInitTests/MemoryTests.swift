import Cryptography
import Foundation
import KeyProtocol
import TestSupport
import Testing

/// Looks for bytes in the memory of a running process.
enum MemoryScan {
    /// The numbers of the needles that occur anywhere in the process's readable memory.
    static func find(_ needles: [[UInt8]], in pid: Int32) throws -> Set<Int> {
        let memory = open("/proc/\(pid)/mem", O_RDONLY)
        guard memory >= 0 else { throw POSIXError(.init(rawValue: errno) ?? .EIO) }
        defer { close(memory) }
        var found: Set<Int> = []
        for line in ProcessTree.text("/proc/\(pid)/maps").split(separator: "\n") {
            let fields = line.split(separator: " ", maxSplits: 2)
            let bounds = fields[0].split(separator: "-").compactMap { UInt64($0, radix: 16) }
            guard bounds.count == 2, fields[1].hasPrefix("r"), bounds[0] < 1 << 63 else { continue }
            let count = Int(bounds[1] - bounds[0])
            guard count < 1 << 28 else { continue }
            var bytes = [UInt8](repeating: 0, count: count)
            let read = pread(memory, &bytes, count, off_t(bounds[0]))
            guard read > 0 else { continue }
            let memory = Data(bytes.prefix(read))
            for (index, needle) in needles.enumerated() where memory.range(of: Data(needle)) != nil
            {
                found.insert(index)
            }
        }
        return found
    }
}

@Suite(.requires(.root, .executables)) struct `Memory` {
    private static let planted = "planted-9b1de0c2-value"

    /// The key as text, the key's own bytes as they are decoded, and each credential, whole and as
    /// PEM.
    private static let certificate = "-----BEGIN PRIVATE KEY-----\nsentinel-51c8aa\n"

    @Test func `of supervisor and command holds neither key nor credentials`() throws {
        let encoded = Data(Self.certificate.utf8).base64EncodedString()
        let process = try InitProcess(
            ["--env-only", "--key-source", "env:THE_KEY", "sleep", "60"],
            environment: [
                "ENCRYPTED_TESTVAR": Sample.value, "THE_KEY": Sample.password,
                "MTLS_CERT": encoded, "MTLS_KEY": encoded, "STORE_TOKEN": "token-77aa0f33",
                "ORDINARY": Self.planted,
            ]
        )
        try process.process.waitForOutput(containing: "command started")
        let needles = [
            Sample.password, encoded, "sentinel-51c8aa", "token-77aa0f33", Sample.value,
        ].map { Array($0.utf8) }
        #expect(try MemoryScan.find(needles, in: try process.pid).isEmpty)
        let command = try process.command(named: "sleep")
        #expect(try MemoryScan.find(needles, in: command).isEmpty)
        // The supervisor has no business with the decrypted value either.
        let values = [Sample.plaintext, Self.planted].map { Array($0.utf8) }
        #expect(try MemoryScan.find(values, in: try process.pid).isEmpty)
        // The control: the command has them, and the scan finds them there.
        #expect(try MemoryScan.find(values, in: command) == [0, 1])
        try process.signal(SIGTERM)
        try process.process.wait()
    }

    @Test func `from a key file holds no key either`() throws {
        let (key, text) = Sample.generatedKey()
        let directory = try Sample.keyDirectory(text)
        let process = try InitProcess(
            ["--env-only", "--key-source", "file:\(directory("key"))", "sleep", "60"],
            environment: ["ENCRYPTED_A": try Sample.encrypt("x", as: "A", with: key)]
        )
        try process.process.waitForOutput(containing: "command started")
        let raw = try #require(key.generated).bytes.withUnsafeBytes { Array($0) }
        #expect(try MemoryScan.find([Array(text.utf8), raw], in: try process.pid).isEmpty)
        try process.signal(SIGTERM)
        try process.process.wait()
    }

    @Test func `holds no password from the command line either`() throws {
        let process = try InitProcess(
            ["-env-only", "-local", Sample.password, "sleep", "60"],
            environment: ["ENCRYPTED_TESTVAR": Sample.value]
        )
        try process.process.waitForOutput(containing: "command started")
        let needle = Array(Sample.password.utf8)
        #expect(try MemoryScan.find([needle], in: try process.pid).isEmpty)
        try process.signal(SIGTERM)
        try process.process.wait()
    }

    @Test func `cannot be read or traced by another process of the same user`() throws {
        let process = try InitProcess(
            ["--env-only", "sh", "-c", "cat /proc/1/environ; cat /proc/1/mem; ls /proc/1/fd"],
            wrapper: ["setpriv", "--reuid=4711", "--regid=4711", "--clear-groups"]
        )
        let output = try process.process.wait()
        #expect(output.text.isEmpty)
        #expect(output.errorText.components(separatedBy: "Permission denied").count == 4)
    }

    @Test func `is never dumped`() throws {
        let process = try InitProcess(["--env-only", "sh", "-c", "ulimit -c; sleep 60"])
        try process.process.waitForOutput(containing: "command started")
        let limits = ProcessTree.text("/proc/\(try process.pid)/limits")
        let core = limits.split(separator: "\n").first { $0.hasPrefix("Max core file size") }
        #expect(core?.split(separator: " ")[4] == "0")
        try process.signal(SIGTERM)
        try process.process.wait()
    }
}
