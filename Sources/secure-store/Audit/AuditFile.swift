internal import Cryptography
internal import FoundationEssentials
internal import Glibc
internal import KeyServer
internal import Linux

/// A line of an exported log.
struct AuditLine: Codable {
    var entry: String?
    var hash: String?
    var checkpoint: Checkpoint?

    struct Checkpoint: Codable {
        var number: Int
        var hash: String
        var time: String
        var key: String
        var signature: String
    }

    init(_ record: AuditRecord) {
        entry = record.entry
        hash = Hexadecimal.encode(record.hash)
    }

    init(_ checkpoint: AuditCheckpoint) {
        self.checkpoint = Checkpoint(
            number: checkpoint.place.number,
            hash: checkpoint.hashText,
            time: checkpoint.time,
            key: checkpoint.key,
            signature: checkpoint.signature
        )
    }

    init(_ line: AuditExportLine) {
        switch line {
        case .entry(let record): self.init(record)
        case .checkpoint(let checkpoint): self.init(checkpoint)
        }
    }

    /// As it stands in the file, with its line's end.
    func encoded() throws -> SecretBytes {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return SecretBytes(copying: try encoder.encode(self) + [UInt8(ascii: "\n")])
    }
}

/// An exported log in a file.
enum AuditFile {
    /// Longer than any entry.
    private static let lineCount = 1 << 20

    /// Follows the chain through a file.
    ///
    /// - Parameters:
    ///   - path: The file; `-` for standard input.
    ///   - key: Checks the checkpoints.
    ///   - mark: An entry that must be there.
    /// - Returns: How far all is in order.
    /// - Throws: ``CommandFailure`` for a line that is none of an export.
    static func verify(
        _ path: String,
        key: AuditPublicKey?,
        expecting mark: AuditTrail.Mark?
    ) throws -> AuditVerifier {
        var verifier = AuditVerifier(key: key, expecting: mark)
        var number = 0
        try forEachLine(of: path) { bytes in
            number += 1
            guard let line = try? JSONDecoder().decode(AuditLine.self, from: Data(bytes)) else {
                throw CommandFailure(
                    .data,
                    "\(path), line \(number): none of an exported audit log"
                )
            }
            take(line, in: &verifier)
        }
        verifier.finish()
        guard number > 0 else { throw CommandFailure(.data, "\(path) is empty") }
        return verifier
    }

    private static func take(_ line: AuditLine, in verifier: inout AuditVerifier) {
        if let found = line.checkpoint,
            let checkpoint = AuditCheckpoint(
                number: found.number,
                hash: found.hash,
                time: found.time,
                key: found.key,
                signature: found.signature
            )
        {
            verifier.take(checkpoint)
            return
        }
        let digits = Array((line.hash ?? "").utf8)
        let hash = digits.withUnsafeBytes { try? Hexadecimal.decode($0) }
        // The number is the entry's own; in the file it is the line's place.
        verifier.take(
            AuditRecord(
                number: verifier.place.number + 1,
                entry: line.entry ?? "",
                hash: hash ?? []
            )
        )
    }

    private static func forEachLine(
        of path: String,
        _ body: (ArraySlice<UInt8>) throws -> Void
    ) throws {
        let number = path == "-" ? dup(0) : open(path, O_RDONLY | O_CLOEXEC)
        guard number >= 0 else {
            throw KeyServerError.file(path: path, operation: "open", errno: .current)
        }
        let file = OwnedDescriptor(takingOwnershipOf: number)
        var rest: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = chunk.withUnsafeMutableBytes {
                read(file.rawValue, $0.baseAddress, $0.count)
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else {
                throw KeyServerError.file(path: path, operation: "read", errno: .current)
            }
            if count == 0 { break }
            rest += chunk[..<count]
            var start = 0
            while let end = rest[start...].firstIndex(of: UInt8(ascii: "\n")) {
                try body(rest[start..<end])
                start = end + 1
            }
            rest.removeFirst(start)
            guard rest.count <= lineCount else {
                throw KeyServerError.fileTooLarge(path: path, limit: lineCount)
            }
        }
        if !rest.isEmpty { try body(rest[...]) }
    }
}
