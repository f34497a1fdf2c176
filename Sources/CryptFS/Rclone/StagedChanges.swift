internal import Cryptography
internal import Linux

/// Pages of a file that were changed and are not stored in final form yet.
///
/// One block's pages are in memory, so that a small file never leaves it and neighbouring writes
/// meet; what that block is moves with the writing. All others are in a ``StagingFile``. Not for
/// two threads at once, but for several readers.
final class StagedChanges {
    static var pageCount: Int { StagingFile.pageCount }
    static var blockCount: Int { SealedFile.blockCount }
    private static var pagesPerBlock: Int { blockCount / pageCount }

    /// Which of a block's 16 pages, the first in bit 0.
    typealias PageMask = UInt16

    /// The block in memory.
    private struct HotBlock {
        var index: UInt64
        var pages: PageMask
        var used = 0
        let memory: UnsafeMutableRawBufferPointer
    }

    private let pool: BlockPool
    private let makeStagingFile: () throws(Errno) -> StagingFile
    private var hot: HotBlock?
    private var file: StagingFile?
    private var filed: [UInt64: PageMask] = [:]

    /// - Parameters:
    ///   - pool: Where memory comes from.
    ///   - makeStagingFile: Called when memory does not do.
    init(pool: BlockPool, makeStagingFile: @escaping () throws(Errno) -> StagingFile) {
        self.pool = pool
        self.makeStagingFile = makeStagingFile
    }

    deinit {
        dropHotBlock()
    }

    /// Which pages of a block are here.
    func pages(ofBlock block: UInt64) -> PageMask {
        (filed[block] ?? 0) | (hot?.index == block ? hot?.pages ?? 0 : 0)
    }

    /// Puts the pages of a block that are here over what `plain` has.
    ///
    /// - Parameters:
    ///   - block: Its index.
    ///   - plain: Its 64 KiB.
    ///   - sealed: Room for a block of sealed pages.
    /// - Throws: What reading failed with; `EIO` where a page does not authenticate.
    func apply(
        toBlock block: UInt64,
        _ plain: UnsafeMutableRawBufferPointer,
        sealed: UnsafeMutableRawBufferPointer
    ) throws(Errno) {
        let inMemory = hot?.index == block ? hot?.pages ?? 0 : 0
        if let file, let mask = filed[block] {
            try Self.forEachRun(of: mask & ~inMemory) { range throws(Errno) in
                try file.read(
                    pagesFrom: block * UInt64(Self.pagesPerBlock)
                        + UInt64(range.lowerBound / Self.pageCount),
                    into: UnsafeMutableRawBufferPointer(rebasing: plain[range]),
                    sealed: sealed
                )
            }
        }
        if let hot, inMemory != 0 {
            Self.forEachRun(of: inMemory) { (range: Range<Int>) throws(Never) in
                UnsafeMutableRawBufferPointer(rebasing: plain[range]).copyMemory(
                    from: UnsafeRawBufferPointer(rebasing: hot.memory[range])
                )
            }
        }
    }

    /// Takes changed pages of one block.
    ///
    /// - Parameters:
    ///   - range: Where in the block, in bytes; whole pages.
    ///   - block: Its index.
    ///   - bytes: As many.
    ///   - sealed: Room for a block of sealed pages.
    /// - Throws: What writing failed with.
    func stage(
        _ range: Range<Int>,
        ofBlock block: UInt64,
        _ bytes: UnsafeRawBufferPointer,
        sealed: UnsafeMutableRawBufferPointer
    ) throws(Errno) {
        let mask = Self.mask(of: range)
        if hot?.index != block {
            try spillHotBlock(sealed: sealed)
            hot = pool.take().map { HotBlock(index: block, pages: 0, memory: $0) }
        }
        guard let memory = hot?.memory else {
            let file = try stagingFile()
            try file.write(
                pagesFrom: block * UInt64(Self.pagesPerBlock)
                    + UInt64(range.lowerBound / Self.pageCount),
                bytes,
                sealed: sealed
            )
            filed[block, default: 0] |= mask
            return
        }
        UnsafeMutableRawBufferPointer(rebasing: memory[range]).copyMemory(from: bytes)
        hot?.pages |= mask
        let used = hot?.used ?? 0
        hot?.used = max(used, range.upperBound)
    }

    /// Forgets a block's pages, because all of the block was stored otherwise.
    func forget(block: UInt64) {
        filed[block] = nil
        if hot?.index == block { dropHotBlock() }
    }

    /// Forgets every page that begins at or behind a place.
    ///
    /// - Parameter size: In bytes of the file. The page it lies in stays, as it is.
    func forget(behind size: UInt64) {
        let lastBlock = size / UInt64(Self.blockCount)
        let rest = Int(size % UInt64(Self.blockCount))
        let kept = Self.mask(of: 0..<(rest + Self.pageCount - 1) / Self.pageCount * Self.pageCount)
        filed = filed.filter { $0.key <= lastBlock }
        if let mask = filed[lastBlock] {
            filed[lastBlock] = mask & kept == 0 ? nil : mask & kept
        }
        guard let index = hot?.index else { return }
        if index > lastBlock { dropHotBlock() } else if index == lastBlock { hot?.pages &= kept }
    }

    private func spillHotBlock(sealed: UnsafeMutableRawBufferPointer) throws(Errno) {
        guard let block = hot else { return }
        if block.pages != 0 {
            let file = try stagingFile()
            try Self.forEachRun(of: block.pages) { range throws(Errno) in
                try file.write(
                    pagesFrom: block.index * UInt64(Self.pagesPerBlock)
                        + UInt64(range.lowerBound / Self.pageCount),
                    UnsafeRawBufferPointer(rebasing: block.memory[range]),
                    sealed: sealed
                )
            }
            filed[block.index, default: 0] |= block.pages
        }
        dropHotBlock()
    }

    private func dropHotBlock() {
        guard let block = hot else { return }
        hot = nil
        pool.give(block.memory, used: block.used)
    }

    private func stagingFile() throws(Errno) -> StagingFile {
        if let file { return file }
        let made = try makeStagingFile()
        file = made
        return made
    }

    private static func mask(of range: Range<Int>) -> PageMask {
        let first = range.lowerBound / pageCount
        let count = range.count / pageCount
        guard count < pagesPerBlock else { return .max }
        return (1 << PageMask(count) - 1) << PageMask(first)
    }

    /// Calls `body` with each run of neighbouring pages, in bytes of the block.
    private static func forEachRun<Failure: Error>(
        of mask: PageMask,
        _ body: (Range<Int>) throws(Failure) -> Void
    ) throws(Failure) {
        var page = 0
        while page < pagesPerBlock {
            guard mask >> PageMask(page) & 1 == 1 else {
                page += 1
                continue
            }
            let first = page
            while page < pagesPerBlock, mask >> PageMask(page) & 1 == 1 { page += 1 }
            try body(first * pageCount..<page * pageCount)
        }
    }
}
