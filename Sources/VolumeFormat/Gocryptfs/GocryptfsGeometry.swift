/// Where content lies in a stored file.
///
/// A file without content is stored as no bytes at all. Every other is a header of 18 bytes, then
/// blocks of nonce ‖ ciphertext ‖ tag, of which only the last is short.
///
/// Format: `docs/formats.md` §9.
public struct GocryptfsGeometry: Equatable, Sendable {
    /// Length of the header in bytes.
    public static let headerCount = GocryptfsFileHeader.count

    /// Content bytes of every block but the last.
    public static let blockCount = 4096

    /// Stored bytes of every block but the last.
    public let sealedBlockCount: Int

    /// What a stored block is longer than its content, in bytes.
    public let overhead: Int

    /// The longest file, so that its stored size is a file size as well.
    public let maximumPlaintextCount: UInt64

    /// The geometry under one cipher.
    public init(_ cipher: GocryptfsCipher) {
        overhead = cipher.overhead
        sealedBlockCount = Self.blockCount + cipher.overhead
        let room = UInt64(Int64.max) - UInt64(Self.headerCount)
        let (blocks, rest) = room.quotientAndRemainder(dividingBy: UInt64(sealedBlockCount))
        maximumPlaintextCount =
            blocks * UInt64(Self.blockCount)
            + max(rest, UInt64(cipher.overhead)) - UInt64(cipher.overhead)
    }

    /// The stored size of a file.
    ///
    /// - Parameter plaintextCount: Its content's length in bytes.
    /// - Returns: Header, blocks and what they are longer by, in bytes; 0 for no content.
    /// - Throws: ``VolumeFormatError/sizeOutOfRange(_:)`` above ``maximumPlaintextCount``.
    public func storedCount(
        forPlaintext plaintextCount: UInt64
    ) throws(VolumeFormatError) -> UInt64 {
        guard plaintextCount <= maximumPlaintextCount else {
            throw .sizeOutOfRange(plaintextCount)
        }
        guard plaintextCount > 0 else { return 0 }
        let (blocks, rest) = plaintextCount.quotientAndRemainder(
            dividingBy: UInt64(Self.blockCount)
        )
        return UInt64(Self.headerCount) + blocks * UInt64(sealedBlockCount)
            + (rest == 0 ? 0 : rest + UInt64(overhead))
    }

    /// The length of a file's content.
    ///
    /// A header alone is a file whose first write was cut short: it has no content.
    ///
    /// - Parameter storedCount: Its stored size in bytes.
    /// - Returns: The length in bytes.
    /// - Throws: ``VolumeFormatError/headerTruncated(found:)``,
    ///   ``VolumeFormatError/blockTruncated(found:)``, ``VolumeFormatError/sizeOutOfRange(_:)``:
    ///   no file has such a size.
    public func plaintextCount(
        forStored storedCount: UInt64
    ) throws(VolumeFormatError) -> UInt64 {
        guard storedCount <= UInt64(Int64.max) else { throw .sizeOutOfRange(storedCount) }
        guard storedCount > 0 else { return 0 }
        guard storedCount >= UInt64(Self.headerCount) else {
            throw .headerTruncated(found: storedCount)
        }
        let (blocks, rest) = (storedCount - UInt64(Self.headerCount))
            .quotientAndRemainder(dividingBy: UInt64(sealedBlockCount))
        guard rest != 0 else { return blocks * UInt64(Self.blockCount) }
        guard rest > UInt64(overhead) else { throw .blockTruncated(found: rest) }
        return blocks * UInt64(Self.blockCount) + rest - UInt64(overhead)
    }

    /// The length a file is shown with, whatever its stored size: as gocryptfs shows it.
    ///
    /// A last block that was cut off within its nonce and tag counts as one byte, so that whoever
    /// reads to the end meets the damage.
    ///
    /// - Parameter storedCount: Its stored size in bytes.
    /// - Returns: The length in bytes, at most ``maximumPlaintextCount``.
    public func shownCount(forStored storedCount: UInt64) -> UInt64 {
        guard storedCount > UInt64(Self.headerCount) else { return 0 }
        let (blocks, rest) = (min(storedCount, UInt64(Int64.max)) - UInt64(Self.headerCount))
            .quotientAndRemainder(dividingBy: UInt64(sealedBlockCount))
        let last = rest == 0 ? 0 : max(rest, UInt64(overhead) + 1) - UInt64(overhead)
        return min(blocks * UInt64(Self.blockCount) + last, maximumPlaintextCount)
    }

    /// The block a byte of content is in.
    ///
    /// - Parameter offset: Zero-based, in bytes.
    /// - Returns: The block's index, and how far into its content the byte is.
    public static func block(at offset: UInt64) -> (index: UInt64, skip: Int) {
        let (index, skip) = offset.quotientAndRemainder(dividingBy: UInt64(blockCount))
        return (index, Int(skip))
    }

    /// Where a block begins in the stored file, in bytes.
    ///
    /// - Parameter index: Zero-based.
    /// - Returns: The offset of its nonce.
    /// - Throws: ``VolumeFormatError/sizeOutOfRange(_:)`` where no file reaches.
    public func offset(ofBlock index: UInt64) throws(VolumeFormatError) -> UInt64 {
        guard index <= maximumPlaintextCount / UInt64(Self.blockCount) else {
            throw .sizeOutOfRange(index)
        }
        return UInt64(Self.headerCount) + index * UInt64(sealedBlockCount)
    }

    /// The block a stored byte belongs to.
    ///
    /// - Parameter offset: In the stored file, behind the header, in bytes.
    /// - Returns: The block's index.
    public func block(atStored offset: UInt64) -> UInt64 {
        (offset - UInt64(Self.headerCount)) / UInt64(sealedBlockCount)
    }

    /// The stored bytes of consecutive blocks.
    ///
    /// - Parameter plaintextCount: The length of their content; all but the last are full.
    /// - Returns: Their length with nonces and tags, in bytes, without a header.
    public func sealedCount(ofBlocks plaintextCount: Int) -> Int {
        let (blocks, rest) = plaintextCount.quotientAndRemainder(dividingBy: Self.blockCount)
        return blocks * sealedBlockCount + (rest == 0 ? 0 : rest + overhead)
    }
}
