internal import CryptFS
internal import Glibc
internal import Linux

/// Fills a volume with what is elsewhere: directories, then what is in them, then what a directory
/// is like.
struct Filling {
    let volume: StoredVolume
    let source: TransferSource
    let state: TransferState
    let width: Int

    /// Transfers everything it can; what it cannot is in the state's report.
    func run(_ entries: [TreeEntry]) async {
        let directories = entries.filter { $0.kind == .directory }
        for directory in directories {
            state.attempt(directory) { () throws(TransferFault) in
                try make(directory)
                state.update { $0.directories += 1 }
            }
        }
        let file = FileEncryption(volume: volume, source: source, state: state)
        let list =
            source.hasLinks
            ? TransferList(entries, isKept: volume.hasHolesAndLinks)
            : TransferList(each: entries.filter { $0.kind != .directory })
        await state.transfer(list, width: width) { (entry, buffers) throws(TransferFault) in
            try file.run(entry, buffers)
        } linking: { (entry, first) throws(TransferFault) in
            try file.link(entry, to: first)
        }
        // Last, for writing into a directory changes its times; deepest first, for a mode may
        // forbid to go into it.
        for directory in directories.reversed() {
            state.attempt(directory) { () throws(TransferFault) in try finish(directory) }
        }
        state.attemptEnd { () throws(Errno) in
            try FileCall.synchronize(volume.root.rawValue)
        }
    }

    private func make(_ directory: TreeEntry) throws(TransferFault) {
        guard let name = directory.path.last else { return }
        let parent = try volume.directory(at: directory.path.dropLast())
        let stored = try volume.storedName(name, .directory, in: parent)
        try StoredDraft(volume).directory(as: stored, in: parent)
    }

    private func finish(_ directory: TreeEntry) throws(TransferFault) {
        let made = try volume.directory(at: directory.path)
        let number = made.descriptor.rawValue
        let from = try source.openDirectory(directory)
        let fault = state.carry(
            try source.attributes(of: from.rawValue).read(),
            to: volume.attributes(of: number)
        )
        try system { () throws(Errno) in
            try Attributes.copy(directory.status, to: number)
            try FileCall.synchronize(number)
        }
        if let fault { throw fault }
    }
}
