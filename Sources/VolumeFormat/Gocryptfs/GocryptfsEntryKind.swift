/// What an entry of a stored directory is, by its name.
public enum GocryptfsEntryKind: Equatable, Sendable {
    /// `gocryptfs.conf` in the topmost directory.
    case configuration

    /// `gocryptfs.diriv`.
    case directoryIV

    /// A file, directory or link under a long name; that is in the entry with `.name` after it.
    case longContent

    /// The long name of the entry without `.name`.
    case longName

    /// A file, directory or link; its name is in the entry.
    case name
}

extension GocryptfsNames {
    /// The volume's configuration, in the topmost directory.
    public static let configurationName: StaticString = "gocryptfs.conf"

    /// The file in every directory that names are bound to.
    public static let directoryIVName: StaticString = "gocryptfs.diriv"

    /// What the entries of long names begin with.
    public static let longNamePrefix: StaticString = "gocryptfs.longname."

    /// What the entry of a long name has after it, where it is the name itself.
    public static let longNameSuffix: StaticString = ".name"

    /// Tells what an entry is.
    ///
    /// - Parameters:
    ///   - entry: As in the directory.
    ///   - isRoot: Whether the directory is the topmost.
    /// - Returns: What it is called like; whether it decrypts is another question.
    public func kind(of entry: UnsafeRawBufferPointer, isRoot: Bool) -> GocryptfsEntryKind {
        if isRoot, entry.elementsEqual(Self.configurationName) { return .configuration }
        guard case .encrypted(let scheme) = scheme else { return .name }
        if scheme.hasDirectoryIVs, entry.elementsEqual(Self.directoryIVName) {
            return .directoryIV
        }
        guard scheme.longNameMax != nil, entry.starts(with: Self.longNamePrefix) else {
            return .name
        }
        return entry.ends(with: Self.longNameSuffix) ? .longName : .longContent
    }
}

extension UnsafeRawBufferPointer {
    fileprivate func elementsEqual(_ text: StaticString) -> Bool {
        text.withUTF8Buffer { elementsEqual($0) }
    }

    fileprivate func starts(with text: StaticString) -> Bool {
        text.withUTF8Buffer { starts(with: $0) }
    }

    fileprivate func ends(with text: StaticString) -> Bool {
        text.withUTF8Buffer { suffix($0.count).elementsEqual($0) }
    }
}
