/// What is about to be written to a volume of gocryptfs's format, as it is noted in the writer's lock file.
///
/// | offset | bytes | content, little-endian |
/// | --- | --- | --- |
/// | 0 | 8 | `SSWRITE1` |
/// | 8 | 8 | a number that grows from note to note |
/// | 16 | 16 | the file's ``GocryptfsFileID`` |
/// | 32 | 8 | where the blocks belong in the stored file, in bytes |
/// | 40 | 8 | how many bytes they are |
/// | 48 | 8 | the stored file's inode number |
/// | 56 | 8 | what is known of them: see ``Content`` |
/// | 64 | | the sealed blocks |
public struct WriteNote: Sendable {
    /// What is known of the blocks.
    public enum Content: UInt64, Sendable {
        /// As they are to be: they follow.
        case sealed = 0

        /// That they are all zeros until they are written, or once they are no more.
        case zeros = 1
    }

    /// Which of several is the latest.
    public let number: UInt64

    /// Whose blocks they are.
    public let id: GocryptfsFileID

    /// Which stored file that was: to find it again, nothing relies on it.
    public let inode: UInt64

    /// Where the blocks belong in the stored file, in bytes.
    public let offset: UInt64

    /// How many bytes they are.
    public let count: UInt64

    /// What is known of them.
    public let content: Content

    /// How many bytes come before the blocks.
    public static let headerCount = 64

    /// How many bytes the note takes.
    public var noteCount: UInt64 { UInt64(Self.headerCount) + (content == .sealed ? count : 0) }

    private static let magic = UInt64(littleEndian: 0x3145_5449_5257_5353)

    /// Puts one together.
    ///
    /// - Parameters:
    ///   - number: Greater than any before it.
    ///   - id: Whose blocks they are.
    ///   - inode: Which stored file that is.
    ///   - range: Where they belong in it, in bytes; not empty.
    ///   - content: What is known of them.
    public init(
        number: UInt64,
        id: GocryptfsFileID,
        inode: UInt64,
        range: Range<UInt64>,
        content: Content
    ) {
        self.number = number
        self.id = id
        self.inode = inode
        offset = range.lowerBound
        count = range.upperBound - range.lowerBound
        self.content = content
    }
}

extension WriteNote {
    /// Reads what ``write(into:)`` wrote; nil for anything else.
    ///
    /// - Parameters:
    ///   - header: ``headerCount`` bytes.
    ///   - longest: How many bytes of sealed blocks there can be.
    public init?(parsing header: UnsafeRawBufferPointer, longest: UInt64) {
        func number(at offset: Int) -> UInt64 {
            UInt64(littleEndian: header.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
        }
        guard header.count == Self.headerCount, number(at: 0) == Self.magic,
            let id = GocryptfsFileID(UnsafeRawBufferPointer(rebasing: header[16..<32])),
            let content = Content(rawValue: number(at: 56))
        else { return nil }
        let (offset, count) = (number(at: 32), number(at: 40))
        let limit = UInt64(Int64.max)
        guard offset < limit, (1...limit - offset).contains(count),
            content != .sealed || count <= longest
        else { return nil }
        self.init(
            number: number(at: 8),
            id: id,
            inode: number(at: 48),
            range: offset..<offset + count,
            content: content
        )
    }

    /// Writes all but the blocks.
    ///
    /// - Parameter header: ``headerCount`` bytes.
    public func write(into header: UnsafeMutableRawBufferPointer) {
        header.storeBytes(of: Self.magic.littleEndian, as: UInt64.self)
        header.storeBytes(of: number.littleEndian, toByteOffset: 8, as: UInt64.self)
        id.withUnsafeBytes { id in
            UnsafeMutableRawBufferPointer(rebasing: header[16..<32]).copyMemory(from: id)
        }
        header.storeBytes(of: offset.littleEndian, toByteOffset: 32, as: UInt64.self)
        header.storeBytes(of: count.littleEndian, toByteOffset: 40, as: UInt64.self)
        header.storeBytes(of: inode.littleEndian, toByteOffset: 48, as: UInt64.self)
        header.storeBytes(of: content.rawValue.littleEndian, toByteOffset: 56, as: UInt64.self)
    }
}
