internal import CryptFS
internal import Linux
internal import VolumeFormat

/// Reads everything of a volume, and tells what is damaged: names, headers, every block, links and
/// attributes.
public struct VolumeCheck: Sendable {
    private let volume: StoredVolume
    private let width: Int
    private let zeroing: [[[UInt8]]]
    private let progress: TransferProgress

    /// - Parameters:
    ///   - volume: Opened for reading, or for writing where something is to be zeroed.
    ///   - width: How many files at once.
    ///   - zeroing: Plain paths of files, or of folders with all that is in them, whose damaged blocks zeros are written
    ///     over. Only in gocryptfs's format.
    ///   - progress: Watched and stopped from elsewhere.
    public init(
        of volume: StoredVolume,
        width: Int,
        zeroing: [[[UInt8]]] = [],
        progress: TransferProgress = TransferProgress()
    ) {
        self.volume = volume
        self.zeroing = zeroing
        self.width = width
        self.progress = progress
    }

    /// Checks everything, whatever is found.
    ///
    /// - Returns: What is sound, as if it had been transferred; what has no name of the volume's
    ///   (``TransferReport/foreign``), and what is damaged (``TransferReport/failures``).
    /// - Throws: ``TransferError`` where nothing could be begun.
    public func run() async throws(TransferError) -> TransferReport {
        if !zeroing.isEmpty { try volume.demandReplaceableBlocks() }
        let tree = try StoredTree(of: volume)
        for path in zeroing
        where !path.isEmpty && !tree.entries.contains(where: { $0.path.starts(with: path) }) {
            throw .notFound(path: TreeEntry.text(path))
        }
        let state = TransferState(progress)
        state.update {
            $0.special = tree.special
            $0.foreign = tree.foreign
            $0.failures = tree.failures
            $0.directories = tree.entries.count { $0.kind == .directory }
        }
        await state.transfer(TransferList(each: tree.entries), width: width) {
            (entry, buffers) throws(TransferFault) in
            try check(entry, buffers, state)
        }
        return state.report
    }

    private func check(
        _ entry: TreeEntry,
        _ buffers: TransferBuffers,
        _ state: TransferState
    ) throws(TransferFault) {
        guard let name = entry.stored.last else { return }
        let directory = try system { () throws(Errno) in
            try TreeDirectory.open(entry.stored.dropLast(), below: volume.root.rawValue)
        }
        switch entry.kind {
        case .directory:
            let number = directory.rawValue
            let opened = try system { () throws(Errno) in
                try FileCall.open(name, in: number, [.readOnly, .directory])
            }
            try checkAttributes(opened.rawValue)
            state.finish { _ in }
        case .link:
            _ = try LinkTarget.read(name, in: directory, of: volume)
            state.finish { $0.links += 1 }
        case .file:
            let isZeroed = zeroing.contains { entry.path.starts(with: $0) }
            let file = try volume.openFile(name, in: directory, isWritten: isZeroed)
            // Whatever is wrong with one does not keep the other from being looked at.
            state.attempt(entry) { () throws(TransferFault) in
                try checkAttributes(file.descriptor)
            }
            let brokenEnd = isZeroed ? try file.cutBrokenEnd() : nil
            let size = try file.contentSize()
            var damaged = try damagedBlocks(
                of: file,
                size: size,
                isZeroed: isZeroed,
                buffers,
                state
            )
            if let brokenEnd { damaged.append(brokenEnd) }
            if isZeroed, damaged.count > 0 {
                try system { () throws(Errno) in try FileCall.synchronize(file.descriptor) }
                damaged.areZeros = true
            }
            guard damaged.count == 0 else { throw .damagedBlocks(damaged) }
            state.finish { report in
                report.files += 1
                report.bytes += size
            }
        }
    }

    private func damagedBlocks(
        of file: StoredFile,
        size: UInt64,
        isZeroed: Bool,
        _ buffers: TransferBuffers,
        _ state: TransferState
    ) throws(TransferFault) -> DamagedBlocks {
        let blockCount = UInt64(file.blockCount)
        var damaged = DamagedBlocks()
        var offset: UInt64 = 0
        // A piece is smaller behind damage, where more of it is to be expected.
        var pieceCount = buffers.plain.count
        // A hole cannot be damaged.
        while let content = file.map.next(from: offset, size: size) {
            try state.progress.checkpoint()
            let start = offset
            offset = content.lowerBound
            do throws(TransferFault) {
                offset += UInt64(
                    try file.read(
                        at: offset,
                        size: size,
                        into: UnsafeMutableRawBufferPointer(
                            rebasing: buffers.plain[..<pieceCount]
                        ),
                        sealed: buffers.sealed
                    )
                )
                pieceCount = min(2 * pieceCount, buffers.plain.count)
            } catch .damaged(.blockDamaged(let block)) {
                damaged.append(block)
                if isZeroed { try file.zero(block: block, size: size, buffers) }
                offset = min((block + 1) * blockCount, size)
                pieceCount = file.blockCount
            }
            // Transfers count what they write and what they read back.
            state.progress.add(bytes: 2 * (offset - start))
        }
        state.progress.add(bytes: 2 * (size - offset))
        return damaged
    }

    private func checkAttributes(_ descriptor: Int32) throws(TransferFault) {
        if let fault = try volume.attributes(of: descriptor).read()?.fault { throw fault }
    }
}
