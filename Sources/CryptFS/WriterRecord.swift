internal import Linux

/// Who writes to a storage, as the lock file says it.
///
///     secure-store writer 1 ‖ SP ‖ host ‖ SP ‖ boot id ‖ SP ‖ process id ‖ SP ‖ since ‖ LF
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

    private init(host: String, boot: String, process: Int32, since: String) {
        self.host = Self.isPlain(host) ? host : "?"
        self.boot = boot
        self.process = process
        self.since = since
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
        guard fields.count == 4, fields.allSatisfy({ $0 == "?" || Self.isPlain($0) }),
            let process = Int32(fields[2]), process > 0
        else { return nil }
        self.init(host: fields[0], boot: fields[1], process: process, since: fields[3])
    }

    /// As it lies in the storage.
    var text: String { "\(Self.heading) \(host) \(boot) \(process) \(since)\n" }

    /// Whether the machine was not started anew between the two.
    func isSameBoot(as other: WriterRecord) -> Bool {
        boot == other.boot && boot != "?"
    }

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
        let place = boot == Self.bootIdentifier ? host : "\(host) (another machine, or boot)"
        return "process \(process) on \(place) since \(since)"
    }
}
