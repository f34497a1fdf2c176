internal import Linux

// What a storage that takes no changes for a time asks for.
extension Filesystem {
    /// Changes a file's content.
    ///
    /// A content that was opened while the storage took no changes is open for reading only; here it is
    /// tried whether the storage does by now.
    ///
    /// - Parameters:
    ///   - node: A file.
    ///   - body: The change; called again after a failure with `EROFS` that is no more.
    /// - Throws: What `body` failed with.
    func changeContent(
        of node: FileNode,
        _ body: (Format.Content) throws(Errno) -> Void
    ) throws(Errno) {
        let content = try content(of: node)
        do throws(Errno) {
            try body(content)
        } catch
            where (error == .readOnlyFileSystem || error == .badDescriptor) && changesInPlace
            && !isReadOnly
        {
            try reopenForWriting(content, of: node)
            try body(content)
        }
    }

    private func reopenForWriting(
        _ content: Format.Content,
        of node: FileNode
    ) throws(Errno) {
        try namespace.withReading { () throws(Errno) in
            // Of one without a name there is nothing to open again.
            guard let place = table.place(of: node) else { throw .readOnlyFileSystem }
            let opened = try FileCall.open(
                place.name,
                in: directory(of: place.parent).descriptor.rawValue,
                [.readWrite, .nonBlocking]
            )
            let found = try FileStatus(of: opened.rawValue).identity
            try content.withMetadata { descriptor throws(Errno) in
                guard try FileStatus(of: descriptor).identity == found else {
                    throw .staleHandle
                }
                try FileCall.replace(descriptor, by: opened.rawValue)
            }
        }
    }
}
