internal import Linux

/// Who writes to a storage, as the lock file says it.
///
///     secure-store writer 1 ‖ SP ‖ host ‖ SP ‖ boot id ‖ SP ‖ process id ‖ SP ‖ since ‖ [ SP ‖ journal ] ‖ [ SP ‖ ended ] ‖ LF
///
/// For people only: who may write is decided by the lock, not by what is written here.
public struct WriterRecord: Equatable, Sendable {
    /// The machine's name; in a container, unless it was given another, the container's id.
    public let host: String

    /// The kernel's name for the time since the machine was started, 36 bytes.
    public let boot: String

    /// The process id, as it is in the container.
    public let process: Int32

    /// When it began, RFC 3339, in UTC.
    public let since: String

    /// Whether what is noted counts after a loss of power too.
    var keepsJournal: Bool

    /// Whether it ended as one should, and left the file for what a writer before it had noted.
    var hasEnded: Bool

    private static let journalMark = "journal"
    private static let ending = "ended"
    private static let heading = "secure-store writer 1"

    /// Longest record in bytes: a host's name has 64 at most.
    static let maximumCount = 256

    /// Of this process, now.
    static var own: WriterRecord {
        WriterRecord(
            host: CurrentProcess.hostName,
            boot: bootIdentifier,
            process: CurrentProcess.id,
            since: UniversalTime.now
        )
    }

    private init(
        host: String,
        boot: String,
        process: Int32,
        since: String,
        keepsJournal: Bool = false,
        hasEnded: Bool = false
    ) {
        self.host = Self.isPlain(host) ? host : "?"
        self.boot = boot
        self.process = process
        self.since = since
        self.keepsJournal = keepsJournal
        self.hasEnded = hasEnded
    }

    /// Reads what ``text`` wrote; nil for anything else.
    ///
    /// Whoever can write to the storage can write here, and this is shown: so nothing but letters,
    /// digits and a few marks.
    init?(parsing bytes: [UInt8]) {
        let heading = Self.heading.utf8
        guard bytes.starts(with: heading), bytes.last == UInt8(ascii: "\n") else { return nil }
        let fields = bytes.dropFirst(heading.count).dropLast()
            .split(separator: UInt8(ascii: " "), omittingEmptySubsequences: true)
            .map { String(decoding: $0, as: UTF8.self) }
        let marks = fields.dropFirst(4)
        guard fields.count >= 4,
            [[], [Self.journalMark], [Self.ending], [Self.journalMark, Self.ending]]
                .contains(Array(marks)),
            fields.allSatisfy({ $0 == "?" || Self.isPlain($0) }),
            let process = Int32(fields[2]), process > 0
        else { return nil }
        self.init(
            host: fields[0],
            boot: fields[1],
            process: process,
            since: fields[3],
            keepsJournal: marks.contains(Self.journalMark),
            hasEnded: marks.contains(Self.ending)
        )
    }

    /// As it lies in the storage.
    var text: String {
        let marks = (keepsJournal ? [Self.journalMark] : []) + (hasEnded ? [Self.ending] : [])
        return ([Self.heading, host, boot, "\(process)", since] + marks)
            .joined(separator: " ") + "\n"
    }

    /// Whether the machine was not started anew since.
    var isOfThisBoot: Bool { boot != "?" && boot == Self.bootIdentifier }

    private static func isPlain(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= 64
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "-"), UInt8(ascii: "."),
                    UInt8(ascii: "_"), UInt8(ascii: ":"):
                    true
                default: false
                }
            }
    }

    private static var bootIdentifier: String {
        let bytes = try? SmallFile.read(path: "/proc/sys/kernel/random/boot_id", limit: 64)
        let text = bytes.map { String(decoding: $0.prefix(36), as: UTF8.self) } ?? ""
        return isPlain(text) ? text : "?"
    }
}

extension WriterRecord: CustomStringConvertible {
    /// `process 7 on 3f2a9c51d0be since 2026-11-21T13:00:00.000Z`; who is not on this machine, or was
    /// before it was started anew, is said to be elsewhere.
    public var description: String {
        let place = isOfThisBoot ? host : "\(host) (another machine, or boot)"
        return "process \(process) on \(place) since \(since)"
    }
}
