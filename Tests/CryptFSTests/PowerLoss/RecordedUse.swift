/// What a program did with a new volume, and what was done to the storage meanwhile.
struct RecordedUse {
    private(set) var log: StorageLog
    let promised: PromisedFiles

    /// Reads what a state of the storage shows.
    let tree: (StorageImage) throws -> ImageReader.Tree

    private let format: MountedVolume.Format

    private let keepsJournal: Bool

    /// Mounts a volume, and unmounts it when the program is done.
    ///
    /// - Parameters:
    ///   - format: Whose a volume.
    ///   - keepsJournal: Whether it has a journal, by which a state is completed before it is looked at.
    ///   - play: What the program does.
    /// - Throws: What failed.
    init(
        of format: MountedVolume.Format,
        keepsJournal: Bool = false,
        by play: (inout Program) throws -> Void
    ) throws {
        let storage = try RecordedStorage()
        let volume = try MountedVolume(
            storage: storage.path,
            format: format,
            options: ["--create"] + (keepsJournal ? ["--journal"] : [])
        )
        let start = storage.position
        var program = Program(volume, on: storage)
        try play(&program)
        try volume.unmount()
        self.format = format
        self.keepsJournal = keepsJournal
        promised = program.promised
        log = StorageLog(operations: try storage.operations(), start: start)
        tree =
            switch format {
            case .gocryptfs where keepsJournal: try CompletedImages(of: storage.backing).tree
            case .gocryptfs: try ImageReader(of: storage.backing).tree
            case .rclone:
                try RcloneImageReader(
                    configuration: volume.configuration,
                    key: MountedVolume.key
                ).tree
            }
    }

    /// The same, had the storage never been told to synchronise: then nothing is promised.
    var withoutSynchronizing: RecordedUse {
        var other = self
        other.log = log.filter {
            if case .synchronize = $0.kind { return false }
            return true
        }
        return other
    }

    /// Looks at what may be left at every moment, and holds it against what was promised.
    ///
    /// - Parameter states: How many of each kind that is chosen at random.
    /// - Returns: How many states there were, and a line for each kind of fault.
    /// - Throws: What reading one failed with.
    func faults(
        states: Int = LongTests.states
    ) throws -> (states: Int, found: Set<String>) {
        try log.visit(states: states) { image, position in
            promised.faults(
                in: try tree(image),
                at: position,
                areReplacedWhole: format == .rclone,
                mayBeTorn: !keepsJournal
            )
        }
    }
}
