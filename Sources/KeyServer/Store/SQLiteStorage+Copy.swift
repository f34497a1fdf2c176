internal import Cryptography
internal import Database
internal import Glibc
internal import Linux
internal import SQLite

extension SQLiteStorage {
    /// Copies a store, as it is at one moment, while others go on reading and writing.
    ///
    /// - Parameters:
    ///   - path: The store's file.
    ///   - copy: A file that does not exist; it gets mode 0600, and is on disk when this returns.
    /// - Throws: ``KeyServerError``; then nothing is left there.
    ///
    /// SQLite: `VACUUM INTO`, which only reads.
    static func copy(_ path: String, to copy: String) throws(KeyServerError) {
        guard !StateFile.exists(copy) else { throw .exists(path: copy) }
        // Under its name only when it is whole: who is killed leaves no half of a copy.
        let temporary = "\(copy).\(Hexadecimal.encode(RandomBytes.make(count: 4))).tmp"
        // SQLite would make the file for everybody to read; an empty one it takes.
        try createFile(temporary)
        defer { unlink(temporary) }
        do throws(DatabaseError) {
            let connection = try SQLiteConnection(path: path, mode: .existing)
            try connection.run("VACUUM INTO ?", .text(temporary))
        } catch {
            throw .storage(reason: "\(path) to \(copy): \(error)")
        }
        let file = OwnedDescriptor(takingOwnershipOf: open(temporary, O_RDONLY | O_CLOEXEC))
        guard fsync(file.rawValue) == 0 else {
            throw .file(path: copy, operation: "write", errno: .current)
        }
        // link, unlike rename, fails where the name is taken.
        guard link(temporary, copy) == 0 else {
            let errno = Errno.current
            if errno == Errno(rawValue: EEXIST) { throw .exists(path: copy) }
            throw .file(path: copy, operation: "create", errno: errno)
        }
    }
}
