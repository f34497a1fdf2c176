internal import CryptFS
internal import Linux
internal import VolumeFormat

extension StoredVolume {
    /// Hands a file's content over, piece by piece, each authenticated before.
    ///
    /// - Parameters:
    ///   - path: Its plain path.
    ///   - body: Gets successive pieces; what it throws ends the reading.
    /// - Throws: ``TransferError``, or what `body` threw.
    public func read(
        _ path: [[UInt8]],
        _ body: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        guard let name = path.last else { throw TransferError.wrongKind(path: "/") }
        let text = TreeEntry.text(path)
        let parent = try storedDirectory(path.dropLast())
        do {
            let directory = try StoredDirectory(opening: parent, of: self)
            let stored = try storedName(name, .file, in: directory).entry
            let file = try openFile(stored, in: directory.descriptor)
            let size = try file.contentSize()
            let buffers = TransferBuffers()
            var offset: UInt64 = 0
            while offset < size {
                let count = try file.read(
                    at: offset,
                    size: size,
                    into: buffers.plain,
                    sealed: buffers.sealed
                )
                try body(UnsafeRawBufferPointer(rebasing: buffers.plain[..<count]))
                offset += UInt64(count)
            }
        } catch TransferFault.system(.notDirectory) {
            throw TransferError.notFound(path: text)
        } catch TransferFault.system(let errno)
            where errno == .isDirectory || errno == .tooManySymbolicLinks
        {
            throw TransferError.wrongKind(path: text)
        } catch TransferFault.system(let errno) where errno == .noSuchFile {
            // A directory is stored under another name, a link too.
            let tree = try? StoredTree(of: self, at: Array(path.dropLast()), isRecursive: false)
            let isThere = tree?.entries.contains { $0.path == path } ?? false
            throw isThere ? TransferError.wrongKind(path: text) : .notFound(path: text)
        } catch let error as TransferFault {
            throw TransferError.file(path: text, error)
        }
    }
}
