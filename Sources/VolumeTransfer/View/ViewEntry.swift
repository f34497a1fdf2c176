internal import Cryptography
internal import Linux

/// What is known to be stored of one entry of a view.
struct ViewEntry: Equatable {
    /// What it is, and what is in it.
    enum Content: Equatable {
        case directory
        case link([UInt8])
        case file(ContentDigest)
    }

    let content: Content

    /// Permission bits.
    let mode: UInt32
    let modified: FileTime

    init(_ content: Content, _ status: FileStatus) {
        self.content = content
        // A symbolic link has no mode of its own.
        if case .link = content { mode = 0 } else { mode = status.mode & 0o7777 }
        modified = status.modified
    }

    var kind: TreeEntry.Kind {
        switch content {
        case .directory: .directory
        case .link: .link
        case .file: .file
        }
    }
}

/// Which content a file has.
///
/// Each piece's SHA-256, chained. A time of modification would not do: a tmpfs leaves it as it is when
/// a program goes on writing through `mmap`.
struct ContentDigest: Equatable {
    private var bytes = [UInt8](repeating: 0, count: SHA256.count)

    /// Adds a piece; all but the last of one length.
    mutating func add(_ piece: UnsafeRawBufferPointer) {
        let chained = bytes + SHA256.digest(of: piece)
        bytes = chained.withUnsafeBytes { SHA256.digest(of: $0) }
    }
}
