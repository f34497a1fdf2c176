internal import Cryptography
internal import Linux

/// What was decrypted, as files that the command's user alone can read.
///
/// None is on a disk, and none can be changed. They are there from before the command's start until
/// everything that came from it has ended.
final class SecretFiles {
    /// What the files are.
    private enum Store {
        /// In a filesystem of their own.
        case mounted(MemoryFilesystem)
        /// Without a name, under descriptors that the command inherits.
        case sealed([SealedMemory])
    }

    private let store: Store

    /// Where each file is, in the order of the secrets.
    let paths: [String]

    /// Puts files into a filesystem that is mounted for them.
    ///
    /// - Parameters:
    ///   - directory: Absolute; empty, or not there yet.
    ///   - secrets: Names and contents.
    ///   - user: Who may read them.
    ///   - group: That user's group.
    ///   - onceMounted: Gets the filesystem's root before there is any secret in it.
    /// - Throws: ``Errno``; nothing is left behind then.
    init(
        in directory: String,
        _ secrets: [(name: FileName, value: SecretBytes)],
        user: UInt32,
        group: UInt32,
        onceMounted: (Int32) -> Void
    ) throws(Errno) {
        let filesystem = try MemoryFilesystem(over: directory, user: user, group: group)
        onceMounted(filesystem.descriptor)
        do throws(Errno) {
            for (name, value) in secrets {
                try value.withUnsafeBytes { value throws(Errno) in
                    try filesystem.add(name, value)
                }
            }
            try filesystem.makeReadOnly()
        } catch {
            filesystem.close()
            throw error
        }
        store = .mounted(filesystem)
        paths = secrets.map { "\(directory)/\($0.name)" }
    }

    /// Makes files without a place.
    ///
    /// - Parameters:
    ///   - secrets: Contents, and names that `/proc` shows.
    ///   - user: Who may read them.
    ///   - group: That user's group.
    /// - Throws: ``Errno``; nothing is left behind then.
    init(
        sealing secrets: [(name: FileName, value: SecretBytes)],
        user: UInt32,
        group: UInt32
    ) throws(Errno) {
        var files: [SealedMemory] = []
        for (_, value) in secrets {
            files.append(
                try value.withUnsafeBytes { value throws(Errno) in
                    try SealedMemory(holding: value, label: "secure-init", user: user, group: group)
                }
            )
        }
        store = .sealed(files)
        paths = files.map { "/proc/self/fd/\($0.descriptor)" }
    }

    /// Whether no file can ever be swapped out.
    var isLocked: Bool {
        switch store {
        case .mounted: true
        case .sealed(let files): files.allSatisfy(\.isLocked)
        }
    }

    /// What has to stay open while the command runs.
    var descriptors: [Int32] {
        switch store {
        case .mounted(let filesystem): [filesystem.descriptor]
        case .sealed: []
        }
    }

    /// Lets go of what the command has inherited.
    func commandHasThem() {
        guard case .sealed(let files) = store else { return }
        for file in files { file.closeHere() }
    }

    /// Wipes the files that have a place, and unmounts.
    ///
    /// The others go with their last descriptor.
    func close() {
        if case .mounted(let filesystem) = store { filesystem.close() }
    }
}
