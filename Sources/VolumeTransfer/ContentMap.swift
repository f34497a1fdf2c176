internal import CryptFS
internal import Linux
internal import VolumeFormat

/// Where a file has content; everywhere else it reads as zeros.
enum ContentMap {
    /// Everywhere: in rclone's format, which has no holes.
    case everywhere

    /// Where the file system below says so: of a plain file, open.
    case plain(Int32)

    /// Of a stored file of gocryptfs's format.
    case stored(GocryptfsHoles)

    /// In the last block, of a file that is to be stored: gocryptfs's format has no hole there, for the
    /// block says how long the file is.
    case end

    /// Holes are kept by whole blocks, in bytes: gocryptfs's.
    private static let blockCount = UInt64(GocryptfsGeometry.blockCount)

    /// The next run of content.
    ///
    /// What cannot be told is content.
    ///
    /// - Parameters:
    ///   - offset: From where on; where a block begins.
    ///   - size: The length of the file's content.
    /// - Returns: From `offset`, or a block's beginning behind it, to where a block begins, or `size`;
    ///   nil where nothing but zeros follows.
    func next(from offset: UInt64, size: UInt64) -> Range<UInt64>? {
        guard offset < size else { return nil }
        do throws(Errno) {
            switch self {
            case .everywhere: return offset..<size
            case .end: return max(offset, (size - 1) / Self.blockCount * Self.blockCount)..<size
            case .plain(let file):
                guard let data = try FileCall.find(.data, in: file, from: offset), data < size
                else { return nil }
                let hole = try FileCall.find(.hole, in: file, from: data) ?? size
                return run(
                    data / Self.blockCount,
                    (min(hole, size) - 1) / Self.blockCount + 1,
                    size
                )
            case .stored(let holes):
                let end = (size - 1) / Self.blockCount + 1
                guard
                    let first = try holes.find(
                        .data,
                        from: offset / Self.blockCount,
                        before: end
                    )
                else { return nil }
                return run(first, try holes.find(.hole, from: first + 1, before: end) ?? end, size)
            }
        } catch {
            return offset..<size
        }
    }

    /// Whether a file of this length has a hole.
    func hasHoles(size: UInt64) -> Bool {
        size > 0 && next(from: 0, size: size) != 0..<size
    }

    private func run(_ first: UInt64, _ end: UInt64, _ size: UInt64) -> Range<UInt64> {
        first * Self.blockCount..<min(end * Self.blockCount, size)
    }
}

/// Goes through what is content in one, at least, of several files of one length.
struct ContentWalk {
    private let maps: [ContentMap]
    private let size: UInt64

    /// The run of each that ends behind ``offset``; nil where it has none any more.
    private var runs: [Range<UInt64>?]
    private var offset: UInt64 = 0

    /// Begins at the first byte.
    init(_ maps: [ContentMap], size: UInt64) {
        self.maps = maps
        self.size = size
        runs = maps.map { $0.next(from: 0, size: size) }
    }

    /// The next piece of content.
    ///
    /// - Returns: At most ``TransferBuffers/pieceCount`` bytes, beginning where a block of all of the files
    ///   does; nil at the end.
    mutating func next() -> Range<UInt64>? {
        for index in runs.indices {
            if let run = runs[index], run.upperBound <= offset {
                runs[index] = maps[index].next(from: offset, size: size)
            }
        }
        let runs = runs.compactMap(\.self)
        guard let start = runs.map({ max($0.lowerBound, offset) }).min() else { return nil }
        // The longest, which is all there is where one of the files has content everywhere.
        let end = runs.reduce(start) { $1.lowerBound <= start ? max($0, $1.upperBound) : $0 }
        let piece = start..<min(end, start + UInt64(TransferBuffers.pieceCount))
        offset = piece.upperBound
        return piece
    }
}
