/// What a loss of power can leave of a storage, from what was done to it.
///
/// As a journalling file system does it (ext4 with `data=ordered`, XFS):
///
/// - names, and lengths that are cut, reach the disk in the order in which they were changed, and with
///   any `fsync` all that were changed before;
/// - content reaches it in pages of 4096 bytes, each by itself, in any order, at any moment between its
///   change and the file's `fsync`; a page is written as it is then, so with all earlier changes;
/// - a file's new length comes with its new pages, never before them, and so perhaps not at all,
///   although the file's name is there already;
/// - with `isTorn`, the 512 bytes of a sector are all that the disk writes whole.
struct PowerLoss {
    private let operations: [StorageOperation]

    /// How the storage is after each operation; the first one before any.
    private let images: [StorageImage]

    static let pageCount = 4096
    private static let sectorCount = 512

    /// - Parameters:
    ///   - operations: What was done.
    ///   - base: What was there before, all of it on the disk.
    init(_ operations: [StorageOperation], on base: StorageImage = StorageImage()) {
        self.operations = operations
        var images = [base]
        for operation in operations {
            var image = images[images.count - 1]
            image.apply(operation.kind)
            images.append(image)
        }
        self.images = images
    }

    /// How many moments there are: before the first operation, and after each.
    var moments: Range<Int> { 0..<images.count }

    /// Where the log ended at a moment.
    func position(at moment: Int) -> Int {
        moment == 0 ? 0 : operations[moment - 1].position
    }

    /// Whatever has been written is there: as after the worker's death.
    func everything(at moment: Int) -> StorageImage { images[moment] }

    /// How what has not been synchronised is chosen.
    enum Choice: CaseIterable {
        /// Nothing of it is there.
        case nothing
        /// All names, no content.
        case names
        /// All content, no names.
        case content
        /// Any.
        case random
        /// Any, in sectors.
        case torn
    }

    /// What may be left when the power goes.
    func left(
        at moment: Int,
        _ choice: Choice,
        _ generator: inout some RandomNumberGenerator
    ) -> StorageImage {
        let committed = lastSynchronization(before: moment) { _ in true }
        let horizon: Int
        switch choice {
        case .nothing, .content: horizon = committed
        case .names: horizon = moment
        case .random, .torn: horizon = .random(in: committed...moment, using: &generator)
        }
        var image = StorageImage(entries: images[horizon].entries)
        for number in Set(image.entries.values.compactMap(\.number)) {
            let file = File(
                number,
                from: lastSynchronization(before: moment) { $0 == number },
                horizon: horizon,
                moment: moment
            )
            image.contents[number] = content(of: file, choice, &generator)
        }
        return image
    }

    private struct File {
        let number: UInt64
        let synchronized: Int
        let horizon: Int
        let moment: Int

        init(_ number: UInt64, from synchronized: Int, horizon: Int, moment: Int) {
            self.number = number
            self.synchronized = synchronized
            self.horizon = horizon
            self.moment = moment
        }
    }

    private func content(
        of file: File,
        _ choice: Choice,
        _ generator: inout some RandomNumberGenerator
    ) -> [UInt8] {
        let isChanged = (file.synchronized..<file.moment).contains {
            operations[$0].kind.changedContent == file.number
        }
        guard isChanged else { return bytes(file, file.moment) }
        // Not before its last cut, which is a change of names.
        let cut = (file.synchronized..<max(file.horizon, file.synchronized)).last {
            if case .truncate(file.number, _) = operations[$0].kind { return true }
            return false
        }
        let first = max(file.synchronized, cut.map { $0 + 1 } ?? 0, created(file.number))
        let lengths = min(first, file.horizon)...max(file.horizon, first)
        let length = bytes(
            file,
            choice == .nothing || choice == .names
                ? lengths.lowerBound
                : choice == .content ? lengths.upperBound : lengths.randomElement(&generator)
        ).count
        var content: [UInt8] = []
        while content.count < length {
            let start = content.count
            let end = min(start + Self.pageCount, length)
            // A page that is new is not there without its content.
            let versions = (cutOff(file, before: start)...file.moment).filter {
                bytes(file, $0).count > start
            }
            guard let oldest = versions.first, let newest = versions.last else {
                content.append(contentsOf: repeatElement(0, count: end - start))
                continue
            }
            switch choice {
            case .nothing, .names: append(oldest, start..<end)
            case .content: append(newest, start..<end)
            case .random:
                append(versions.randomElement(using: &generator) ?? newest, start..<end)
            case .torn:
                let pair = [versions.randomElement(using: &generator) ?? newest, newest]
                for sector in stride(from: start, to: end, by: Self.sectorCount) {
                    append(
                        pair[Int.random(in: 0...1, using: &generator)],
                        sector..<min(sector + Self.sectorCount, end)
                    )
                }
            }
        }
        return content

        func append(_ version: Int, _ range: Range<Int>) {
            let old = bytes(file, version)
            let there = range.clamped(to: 0..<old.count)
            content.append(contentsOf: old[there])
            content.append(contentsOf: repeatElement(0, count: range.count - there.count))
        }
    }

    /// From when on a page's content can be on the disk: what was cut off there does not come back.
    private func cutOff(_ file: File, before start: Int) -> Int {
        let cut = (file.synchronized..<max(file.horizon, file.synchronized)).last {
            if case .truncate(file.number, let size) = operations[$0].kind { return size <= start }
            return false
        }
        return cut.map { $0 + 1 } ?? file.synchronized
    }

    private func bytes(_ file: File, _ version: Int) -> [UInt8] {
        images[version].contents[file.number] ?? []
    }

    private func created(_ number: UInt64) -> Int {
        images.firstIndex { $0.contents[number] != nil } ?? 0
    }

    /// The last moment at which a file that satisfies `predicate` had been synchronised.
    private func lastSynchronization(before moment: Int, _ predicate: (UInt64) -> Bool) -> Int {
        (0..<moment).last {
            if case .synchronize(let number) = operations[$0].kind { return predicate(number) }
            return false
        }.map { $0 + 1 } ?? 0
    }
}

extension StorageImage.Entry {
    /// A file's.
    fileprivate var number: UInt64? {
        if case .file(let number) = self { return number }
        return nil
    }
}

extension ClosedRange<Int> {
    fileprivate func randomElement(_ generator: inout some RandomNumberGenerator) -> Int {
        .random(in: self, using: &generator)
    }
}

/// The same numbers for the same seed.
///
/// Source: SplitMix64, Steele, Lea and Flood, 2014.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var word = state
        word = (word ^ (word >> 30)) &* 0xbf58_476d_1ce4_e5b9
        word = (word ^ (word >> 27)) &* 0x94d0_49bb_1331_11eb
        return word ^ (word >> 31)
    }
}
