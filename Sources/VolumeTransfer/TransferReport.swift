/// What came of a transfer.
public struct TransferReport: Sendable {
    /// Something by its path, and what is to be said of it.
    public struct Note<Cause: Sendable>: Sendable {
        /// Relative to what was transferred; as it lies there.
        public let path: String

        /// What is to be said.
        public let cause: Cause
    }

    /// Files written.
    public var files = 0

    /// Bytes of content in them.
    public var bytes: UInt64 = 0

    /// Symbolic links written.
    public var links = 0

    /// Directories that are there now.
    public var directories = 0

    /// Files and links that were there already, with the same size, time and a header that opens.
    public var unchanged = 0

    /// Further names given to files.
    public var hardLinks = 0

    /// Names of files with several that became, or may have become, files of their own.
    public var withoutLinks = 0

    /// Files with holes that the target's format has not: zeros are stored in their place.
    public var withoutHoles = 0

    /// Entries with extended attributes that the target cannot keep.
    public var withoutAttributes = 0

    /// Neither file nor directory nor link: left out.
    public var special: [String] = []

    /// Entries of the storage whose names are none of the volume's: left out.
    public var foreign: [Note<String>] = []

    /// What was not transferred, and why.
    public var failures: [Note<TransferFault>] = []
}
