internal import Cryptography
public import KeyProtocol
internal import Linux

/// A file that holds one key, as Docker secrets and mounted volumes bring it.
///
/// Who may read the file is not judged: Docker writes secrets with mode 0444, and it is the
/// container that guards them.
public enum KeyFile {
    /// Reads the key.
    ///
    /// Never waits: a pipe, which could be waited for, is refused with a hint to use `fd:`.
    ///
    /// - Parameter path: A regular file, or a symbolic link to one; at most 4096 bytes and a line
    ///   break.
    /// - Returns: The key, under the name ``KeyBundle/defaultName``.
    /// - Throws: ``KeySourceError``.
    public static func read(path: String) throws(KeySourceError) -> KeyBundle {
        let origin = KeyOrigin.file(path: path)
        let file = try open(path)
        var text = SecretBuffer(capacity: KeyText.maximumCount + 1)
        do throws(Errno) {
            try file.readToEnd(into: &text)
        } catch {
            throw .cannotRead(origin, error)
        }
        return try text.withUnsafeBytes { bytes throws(KeySourceError) in
            guard bytes.count <= KeyText.maximumCount else { throw .tooLong(origin) }
            return try KeyText.bundle(bytes, from: origin)
        }
    }

    private static func open(_ path: String) throws(KeySourceError) -> InputFile {
        let kind: FileKind
        do throws(Errno) {
            let file = try InputFile(path: path)
            kind = try file.kind()
            if kind == .regular { return file }
        } catch {
            throw .cannotOpen(path: path, error)
        }
        throw .notRegular(path: path, found: kind)
    }
}

extension InputFile {
    /// Stops early where the buffer is full.
    fileprivate borrowing func readToEnd(into buffer: inout SecretBuffer) throws(Errno) {
        var count = 1
        while count > 0 {
            count = try buffer.append(reading: { free throws(Errno) in try read(into: free) })
        }
    }
}
