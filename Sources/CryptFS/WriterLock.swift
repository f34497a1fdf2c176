internal import Glibc
internal import Linux
internal import Synchronization

/// The right to write to a storage, which one process has at a time.
///
/// A file in the storage's topmost directory, there as long as somebody writes: the kernel's lock on it
/// decides, and its content names the holder. The kernel frees the lock with the process, so what a
/// crash leaves is a file that nobody has locked. It stays as long as there is something noted in it
/// that nobody has seen to, see ``WriteIntents``.
public final class WriterLock: Sendable {
    /// Who held it last and did not end as one should; nil where that is not known.
    public let abandoned: WriterRecord?

    /// For what a writer notes behind its name.
    var noteFile: Int32 { file.rawValue }

    /// Where that begins, in bytes.
    static let noteOffset: UInt64 = 4096

    private let file: OwnedDescriptor
    private let directory: OwnedDescriptor
    private let own: WriterRecord
    private let hasNotes = Atomic(false)

    /// Takes the lock.
    ///
    /// - Parameters:
    ///   - storage: The storage's topmost directory, open.
    ///   - path: Its path, for messages.
    ///   - keepsJournal: Whether what will be noted is to count after a loss of power.
    /// - Throws: ``VolumeError/storageInUse(path:holder:)``; ``VolumeError/system(operation:path:_:)``.
    package init(
        of storage: Int32,
        path: String,
        keepsJournal: Bool = false
    ) throws(VolumeError) {
        let path = path + "/\(Self.name)"
        directory = try describing("open", path) { () throws(Errno) in
            try FileCall.reopen(directory: storage, [.readOnly, .directory])
        }
        file = try Self.lock(in: storage, path)
        let bytes = try? Self.content(of: file.rawValue)
        let last = bytes.flatMap { WriterRecord(parsing: $0) }
        abandoned = last.flatMap { $0.hasEnded ? nil : $0 }
        var own = WriterRecord.own
        var followsJournal = false
        do throws(Errno) {
            if try Self.hasNotes(file.rawValue, by: last) {
                hasNotes.store(true, ordering: .relaxed)
                followsJournal = last?.keepsJournal ?? false
            } else {
                try FileCall.truncate(file.rawValue, to: 0)
            }
            own.keepsJournal = keepsJournal || followsJournal
            try Self.write(own.text, to: file.rawValue)
            if keepsJournal {
                try FileCall.synchronize(file.rawValue)
                try FileCall.synchronize(directory.rawValue)
            }
        } catch {
            if keepsJournal { throw .system(operation: "keep a journal in", path: path, error) }
            // A full disk, which may be why somebody wants to write: to delete. The lock holds.
            Log.warning("The lock does not say who holds it", ["error": error.description])
        }
        self.own = own
        self.keepsJournal = keepsJournal
        self.followsJournal = followsJournal
    }

    deinit {
        // While it is locked: nobody else's file is taken away.
        if hasNotes.load(ordering: .relaxed) {
            var own = own
            own.hasEnded = true
            try? Self.write(own.text, to: file.rawValue)
        } else {
            try? FileCall.unlink(Self.name, in: directory.rawValue)
        }
    }

    private let keepsJournal: Bool

    /// Whether those were to outlast a loss of power, and may be of many files.
    let followsJournal: Bool

    /// Whether a writer was killed whose last writes may have to be completed.
    package var followsInterruptedWriter: Bool { hasNotes.load(ordering: .relaxed) }

    /// Opens the file once more, for what one thread notes.
    func openNotes() -> OwnedDescriptor? {
        try? FileCall.open(Self.name, in: directory.rawValue, [.readWrite, .nonBlocking])
    }

    /// Forgets everything that is noted; what comes is no journal unless this writer keeps one.
    func dropNotes() {
        try? FileCall.truncate(file.rawValue, to: Self.noteOffset)
        hasNotes.store(false, ordering: .relaxed)
        guard followsJournal, !keepsJournal else { return }
        var own = own
        own.keepsJournal = false
        try? Self.write(own.text, to: file.rawValue)
        try? FileCall.synchronize(file.rawValue)
    }

    /// Has the file stay, for a later writer, with what is noted before an offset; not at all where that is nothing.
    func leaveNotes(before offset: UInt64) {
        let remain = offset > Self.noteOffset
        if remain { try? FileCall.truncate(file.rawValue, to: offset) }
        hasNotes.store(remain, ordering: .relaxed)
    }

    /// Whether there is something noted that counts: unless it is a journal, what was noted before the machine was
    /// started last may have reached the disk without what it is of, or not at all.
    private static func hasNotes(
        _ file: Int32,
        by last: WriterRecord?
    ) throws(Errno) -> Bool {
        guard let last, last.isOfThisBoot || last.keepsJournal else { return false }
        return try FileStatus(of: file).size > noteOffset
    }

    /// Opens the file and locks it, again where its last holder removed it in between.
    private static func lock(
        in storage: Int32,
        _ path: String
    ) throws(VolumeError) -> OwnedDescriptor {
        while true {
            let file = try describing("open", path) { () throws(Errno) in
                try FileCall.open(
                    name,
                    in: storage,
                    [.readWrite, .create, .nonBlocking],
                    mode: 0o600
                )
            }
            do throws(Errno) {
                try FileCall.lock(file.rawValue)
            } catch .wouldBlock {
                let holder = try? content(of: file.rawValue)
                throw .storageInUse(
                    path: storagePath(path),
                    holder: holder.flatMap { WriterRecord(parsing: $0) }
                )
            } catch
                where error == .notSupported || error == .noFunction
                || error == .invalidArgument
            {
                Log.warning(
                    "The storage cannot be locked against a second writer",
                    ["path": storagePath(path)]
                )
                return file
            } catch {
                throw .system(operation: "lock", path: path, error)
            }
            if isCurrent(file.rawValue, in: storage) { return file }
        }
    }

    private static func isCurrent(_ file: Int32, in storage: Int32) -> Bool {
        guard let own = try? FileStatus(of: file),
            let found = try? FileStatus(in: storage, named: name)
        else { return false }
        return own.identity == found.identity
    }

    private static func content(of file: Int32) throws(Errno) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: WriterRecord.maximumCount)
        let count = try bytes.withUnsafeMutableBufferPointer { bytes throws(Errno) in
            try FileCall.read(file, at: 0, into: UnsafeMutableRawBufferPointer(bytes))
        }
        // What is behind it are zeros.
        return Array(bytes[..<count].prefix { $0 != 0 })
    }

    private static func write(_ text: String, to file: Int32) throws(Errno) {
        // What remains of a longer one is written over.
        let bytes = Array(text.utf8)
        let padding = repeatElement(0 as UInt8, count: WriterRecord.maximumCount - bytes.count)
        try (bytes + padding).withUnsafeBufferPointer { bytes throws(Errno) in
            try FileCall.write(file, at: 0, UnsafeRawBufferPointer(bytes))
        }
    }

    private static func storagePath(_ path: String) -> String {
        String(path.dropLast(name.count + 1))
    }
}

extension WriterLock {
    /// The file's name: gocryptfs takes it for the long name of an entry, and passes over it; rclone
    /// passes over what does not decrypt.
    static let name: FileName = {
        let text: StaticString = "gocryptfs.longname.secure-store-writer.name"
        guard let name = text.withUTF8Buffer({ FileName($0) }) else {
            preconditionFailure("no slash")
        }
        return name
    }()

    /// Whether a name in a storage is the lock's.
    package static func isName(_ stored: some Collection<UInt8>) -> Bool {
        stored.elementsEqual(name.bytes)
    }

    /// Who writes to a storage.
    public enum Holder: Sendable {
        /// Somebody does; nil where it cannot be told who.
        case held(WriterRecord?)

        /// Nobody does; who did last crashed, or lost its machine.
        case abandoned(WriterRecord?)

        /// Nobody does.
        case none
    }

    /// Looks who writes to a storage, and disturbs nobody by that.
    ///
    /// - Parameter storage: Its path.
    /// - Returns: What the lock says, and the file.
    /// - Throws: ``VolumeError/system(operation:path:_:)``, where the storage or the file may not be read.
    public static func holder(of storage: String) throws(VolumeError) -> Holder {
        let path = storage + "/\(name)"
        return try describing("read", path) { () throws(Errno) in
            let file: OwnedDescriptor
            do throws(Errno) {
                let directory = try FileCall.open(path: storage, [.placeOnly, .directory])
                file = try FileCall.open(name, in: directory.rawValue, [.readOnly, .nonBlocking])
            } catch .noSuchFile {
                return .none
            }
            let record = WriterRecord(parsing: try content(of: file.rawValue))
            if try FileCall.isLocked(file.rawValue) { return .held(record) }
            return record?.hasEnded == true ? .none : .abandoned(record)
        }
    }

    /// Looks whether a writer was killed whose last writes may have to be completed, which the next one does.
    ///
    /// - Parameter storage: The storage's topmost directory, open.
    /// - Returns: Whether one was, and nobody writes at present; false too where the file may not be read.
    package static func hasInterruptedWriter(in storage: Int32) -> Bool {
        do throws(Errno) {
            let file = try FileCall.open(name, in: storage, [.readOnly, .nonBlocking])
            let record = WriterRecord(parsing: try content(of: file.rawValue))
            guard try hasNotes(file.rawValue, by: record) else { return false }
            return try !FileCall.isLocked(file.rawValue)
        } catch {
            return false
        }
    }
}

extension WriterLock.Holder: CustomStringConvertible {
    /// For a person.
    public var description: String {
        switch self {
        case .held(let record): record?.description ?? "a process unknown"
        case .abandoned(let record):
            "nobody; \(record?.description ?? "a process unknown") did not unmount"
        case .none: "nobody"
        }
    }
}
