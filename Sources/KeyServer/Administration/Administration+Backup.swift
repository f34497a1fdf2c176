internal import Glibc
internal import Linux

extension Administration {
    /// Copies the store into a file, while a server uses it.
    ///
    /// That it was copied is recorded first, and so stands in the copy.
    ///
    /// - Throws: ``KeyServerError/notInFile``; ``KeyServerError/exists(path:)``; ``KeyServerError``,
    ///   and then there is no file.
    public func backUp(to path: String) throws(KeyServerError) {
        guard storage is SQLiteStorage else { throw .notInFile }
        guard !StateFile.exists(path) else { throw .exists(path: path) }
        try perform("operator.backup") { _, _ in ((), ["file": .text(path)]) }
        try SQLiteStorage.copy(state.database, to: path)
    }

    /// Takes the copy of a store for the store of a directory that has none.
    ///
    /// - Parameters:
    ///   - path: What ``backUp(to:)`` wrote; stays as it is.
    ///   - state: A directory no server uses.
    /// - Throws: ``KeyServerError/exists(path:)`` where there is a store;
    ///   ``KeyServerError/brokenBackup(path:entry:)`` where its audit log is not as it was written.
    public static func restore(
        _ path: String,
        into state: StateDirectory
    ) throws(KeyServerError) {
        guard !state.holdsStore else { throw .exists(path: state.database) }
        try StateFile.createDirectory(state.path)
        // Under its name only when it is whole, up to date and found in order.
        let incoming = "\(state.database).incoming"
        // Of a restoring that was killed.
        for suffix in ["", "-wal", "-shm"] { unlink(incoming + suffix) }
        try SQLiteStorage.copy(path, to: incoming)
        do throws(KeyServerError) {
            try check(incoming, named: path)
            guard rename(incoming, state.database) == 0 else {
                throw .file(path: state.database, operation: "create", errno: .current)
            }
        } catch {
            for suffix in ["", "-wal", "-shm"] { unlink(incoming + suffix) }
            throw error
        }
    }

    /// Follows the audit log of a copy to its end, and records there where the copy came from.
    private static func check(_ copy: String, named path: String) throws(KeyServerError) {
        let storage = try SQLiteStorage(path: copy)
        do {
            let found = try AuditTrail(storage).verify()
            // A store begins with an entry: an empty file is none.
            if let entry = found.broken ?? (found.place.number == 0 ? 1 : nil) {
                throw KeyServerError.brokenBackup(path: path, entry: entry)
            }
        } catch let error as KeyServerError {
            throw error
        } catch {
            throw .storage(reason: "\(path): \(error)")
        }
        try storage.transaction(.writing) { store throws(KeyServerError) in
            let fields: [String: AuditEntry.Value?] = [
                "file": .text(path), "operator": .text(currentOperator),
            ]
            try store.append(AuditEntry("operator.restore", at: .now, fields))
        }
    }
}
