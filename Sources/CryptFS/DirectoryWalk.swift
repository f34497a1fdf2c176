package import Linux

/// Goes through a directory and everything below it, however deep that is.
///
/// Whoever writes there decides how deep: so there is no recursion, and the way up is `..`, which needs no descriptor
/// for each level.
package enum DirectoryWalk {
    private struct Level {
        let name: FileName
        let parent: FileIdentity
        var below: [FileName]
    }

    /// Visits a directory, and then those below it that the visit names.
    ///
    /// - Parameters:
    ///   - top: Where it begins.
    ///   - open: Opens a name in a directory; nil passes it over.
    ///   - leave: Called with a name and the directory it is in, once everything below it was visited.
    ///   - visit: Looks through a directory; returns the names of those to go on with.
    /// - Throws: What one of them throws; `ENOENT` where a directory was moved meanwhile.
    package static func run(
        below top: Int32,
        opening open: (FileName, Int32) throws(Errno) -> OwnedDescriptor?,
        leaving leave: (FileName, Int32) throws(Errno) -> Void = { _, _ throws(Errno) in },
        visiting visit: (Int32) throws(Errno) -> [FileName]
    ) throws(Errno) {
        var directory = try FileCall.reopen(directory: top, [.readOnly, .directory])
        var below = try visit(directory.rawValue)
        // Those between the top and the directory, which is the last one's.
        var levels: [Level] = []
        while true {
            if let name = below.popLast() {
                guard let child = try open(name, directory.rawValue) else { continue }
                let parent = try FileStatus(of: directory.rawValue).identity
                levels.append(Level(name: name, parent: parent, below: below))
                directory = child
                below = try visit(directory.rawValue)
            } else if let level = levels.popLast() {
                directory = try FileCall.openParent(of: directory.rawValue)
                guard try FileStatus(of: directory.rawValue).identity == level.parent else {
                    throw .noSuchFile
                }
                below = level.below
                try leave(level.name, directory.rawValue)
            } else {
                return
            }
        }
    }
}
