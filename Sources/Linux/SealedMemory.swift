internal import CLinux
internal import Glibc

/// A file in memory that has no name and that nobody can change any more.
///
/// Open for reading under a number that goes over to the programs executed, until
/// ``closeHere()``. Its pages stay locked as long as the object lives.
///
/// The corresponding C functions are `memfd_create`, `fcntl` with `F_ADD_SEALS`, and `mlock`.
public final class SealedMemory {
    /// The number; above what programs use by habit where the limit on descriptors allows.
    public private(set) var descriptor: Int32

    /// Whether it can never be swapped out.
    public let isLocked: Bool

    private let mapping: UnsafeMutableRawPointer?
    private let count: Int

    /// Shells keep their own descriptors from 10 on, scripts theirs below.
    private static let lowest: Int32 = 100

    /// Makes a file.
    ///
    /// - Parameters:
    ///   - contents: Any bytes, also none.
    ///   - label: What `/proc` shows for it; no secret.
    ///   - user: Who alone may open it again.
    ///   - group: Its group, which may not.
    /// - Throws: ``Errno``.
    public init(
        holding contents: UnsafeRawBufferPointer,
        label: String,
        user: UInt32,
        group: UInt32
    ) throws(Errno) {
        let file = OwnedDescriptor(
            takingOwnershipOf: try valueOrErrno { linux_memory_file(label) }
        )
        try FileCall.truncate(file.rawValue, to: UInt64(contents.count))
        // Locked before the first byte is in it. A private mapping: a shared one forbids the seal.
        mapping = Self.map(file.rawValue, contents.count)
        count = contents.count
        // Where the limit is too low, it may be swapped out: the caller says so.
        isLocked = contents.isEmpty || (mapping.map { mlock($0, contents.count) == 0 } ?? false)
        descriptor = try Self.openForExec(file.rawValue)
        try FileCall.write(file.rawValue, at: 0, contents)
        _ = try valueOrErrno { linux_seal(file.rawValue) }
        // Last: it may be somebody else's file from here on, which we need not be able to open.
        try Self.give(file.rawValue, to: user, group)
    }

    deinit {
        closeHere()
        if let mapping { munmap(mapping, count) }
    }

    /// Closes it in this process, once the command has it.
    public func closeHere() {
        guard descriptor != -1 else { return }
        close(descriptor)
        descriptor = -1
    }

    private static func map(_ file: Int32, _ count: Int) -> UnsafeMutableRawPointer? {
        guard count > 0 else { return nil }
        let mapping = mmap(nil, count, PROT_READ, MAP_PRIVATE, file, 0)
        return mapping == MAP_FAILED ? nil : mapping
    }

    /// Without the right to give it away, anybody may open it who can reach the descriptor at all:
    /// that takes the right to trace a process that has it.
    private static func give(_ file: Int32, to user: UInt32, _ group: UInt32) throws(Errno) {
        do throws(Errno) {
            try FileCall.setMode(file, 0o400)
            guard user != geteuid() || group != getegid() else { return }
            try FileCall.setOwner(file, user: user, group: group)
        } catch .operationNotPermitted {
            try FileCall.setMode(file, 0o444)
        }
    }

    /// Another open file, for reading only, whose position is nobody else's.
    private static func openForExec(_ file: Int32) throws(Errno) -> Int32 {
        let reader = try FileCall.open(path: "/proc/self/fd/\(file)", .readOnly)
        do throws(Errno) {
            return try valueOrErrno { linux_duplicate_for_exec(reader.rawValue, lowest) }
        } catch {
            return try valueOrErrno { linux_duplicate_for_exec(reader.rawValue, 3) }
        }
    }
}
