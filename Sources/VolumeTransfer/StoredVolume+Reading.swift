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
            let file = try openFile(
                storedName(name, .file),
                in: TreeDirectory.open(parent, below: root.rawValue)
            )
            let size = try stored { () throws(SealedFileError) in try file.storedContentSize() }
            let buffers = TransferBuffers()
            var offset: UInt64 = 0
            while offset < size {
                let count = try file.read(at: offset, size: size, buffers)
                try body(UnsafeRawBufferPointer(rebasing: buffers.plain[..<count]))
                offset += UInt64(count)
            }
        } catch let error as Errno where error == .noSuchFile || error == .notDirectory {
            throw TransferError.notFound(path: text)
        } catch TransferFault.system(let errno) where errno == .isDirectory {
            throw TransferError.wrongKind(path: text)
        } catch TransferFault.system(let errno) where errno == .noSuchFile {
            // A directory is stored under another name, a link too.
            let tree = try? StoredTree(of: self, at: Array(path.dropLast()), isRecursive: false)
            let isThere = tree?.entries.contains { $0.path == path } ?? false
            throw isThere ? TransferError.wrongKind(path: text) : .notFound(path: text)
        } catch let error as Errno {
            throw TransferError.file(path: text, .system(error))
        } catch let error as TransferFault {
            throw TransferError.file(path: text, error)
        }
    }

    /// Opens a stored file, and nothing that is not one.
    func openFile(
        _ name: FileName,
        in directory: borrowing OwnedDescriptor
    ) throws(TransferFault) -> SealedFile {
        let parent = directory.rawValue
        let descriptor = try system { () throws(Errno) in
            try FileCall.open(name, in: parent, [.readOnly, .nonBlocking])
        }
        let number = descriptor.rawValue
        let status = try system { () throws(Errno) in try FileStatus(of: number) }
        guard status.kind == .regular else {
            throw .system(status.kind == .directory ? .isDirectory : .invalidArgument)
        }
        do throws(SealedFileError) {
            return try SealedFile(opening: descriptor, keys: keys)
        } catch {
            switch error {
            case .system(let errno): throw .system(errno)
            case .damaged(let cause): throw .damaged(cause)
            }
        }
    }
}

extension SealedFile {
    /// Reads content into a thread's plain buffer, from a block's beginning.
    ///
    /// - Returns: How many bytes: a buffer full, fewer only at the end.
    func read(
        at offset: UInt64,
        size: UInt64,
        _ buffers: TransferBuffers
    ) throws(TransferFault) -> Int {
        try stored { () throws(SealedFileError) in
            try open(
                blocksFrom: offset / UInt64(SealedFile.blockCount),
                size: size,
                into: buffers.plain,
                sealed: buffers.sealed
            )
        }
        return Int(min(UInt64(buffers.plain.count), size - offset))
    }
}
