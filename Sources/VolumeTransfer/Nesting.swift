internal import Glibc

/// Tells whether one directory lies in another.
enum Nesting {
    /// - Throws: ``TransferError/nested(path:storage:)``.
    static func check(_ path: String, storage: String) throws(TransferError) {
        guard let one = resolved(path), let other = resolved(storage) else { return }
        guard !one.hasPrefix(other), !other.hasPrefix(one) else {
            throw .nested(path: path, storage: storage)
        }
    }

    private static func resolved(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        let text = String(cString: resolved)
        return text == "/" ? text : text + "/"
    }
}
