internal import Cryptography

/// The content of an encrypted file: a header, then sealed blocks, of which only the last is short.
///
/// A block of n bytes (1...65536) is stored as tag (16) ‖ ciphertext (n). An empty file has no
/// block. There is no mark on the last block: a file cut between blocks cannot be told from a
/// shorter file.
///
/// Format: `docs/formats.md` §3.
public enum RcloneContent {
    /// Length of the header in bytes.
    public static let headerCount = RcloneFileHeader.count

    /// Plaintext bytes of every block but the last.
    public static let blockCount = 65_536

    /// Stored bytes of every block but the last.
    public static let sealedBlockCount = 65_552

    /// The longest file, so that its stored size is a file size as well.
    public static let maximumPlaintextCount: UInt64 = {
        let room = UInt64(Int64.max) - UInt64(headerCount)
        let (blocks, rest) = room.quotientAndRemainder(dividingBy: UInt64(sealedBlockCount))
        return blocks * UInt64(blockCount) + max(rest, UInt64(SecretBox.tagCount))
            - UInt64(SecretBox.tagCount)
    }()

    /// The stored size of a file.
    ///
    /// - Parameter plaintextCount: Its content's length in bytes.
    /// - Returns: Header, tags and content, in bytes.
    /// - Throws: ``VolumeFormatError/sizeOutOfRange(_:)`` above ``maximumPlaintextCount``.
    public static func ciphertextCount(
        forPlaintext plaintextCount: UInt64
    ) throws(VolumeFormatError) -> UInt64 {
        guard plaintextCount <= maximumPlaintextCount else {
            throw .sizeOutOfRange(plaintextCount)
        }
        let (blocks, rest) = plaintextCount.quotientAndRemainder(dividingBy: UInt64(blockCount))
        return UInt64(headerCount) + blocks * UInt64(sealedBlockCount)
            + (rest == 0 ? 0 : rest + UInt64(SecretBox.tagCount))
    }

    /// The length of a file's content.
    ///
    /// - Parameter ciphertextCount: Its stored size in bytes.
    /// - Returns: The length in bytes.
    /// - Throws: ``VolumeFormatError/headerTruncated(found:)``,
    ///   ``VolumeFormatError/blockTruncated(found:)``, ``VolumeFormatError/sizeOutOfRange(_:)``:
    ///   no file has such a size.
    public static func plaintextCount(
        forCiphertext ciphertextCount: UInt64
    ) throws(VolumeFormatError) -> UInt64 {
        guard ciphertextCount <= UInt64(Int64.max) else { throw .sizeOutOfRange(ciphertextCount) }
        guard ciphertextCount >= UInt64(headerCount) else {
            throw .headerTruncated(found: ciphertextCount)
        }
        let (blocks, rest) = (ciphertextCount - UInt64(headerCount))
            .quotientAndRemainder(dividingBy: UInt64(sealedBlockCount))
        guard rest != 0 else { return blocks * UInt64(blockCount) }
        guard rest > UInt64(SecretBox.tagCount) else { throw .blockTruncated(found: rest) }
        return blocks * UInt64(blockCount) + rest - UInt64(SecretBox.tagCount)
    }

    /// Where a block begins in the stored file, in bytes.
    ///
    /// - Parameter index: Zero-based.
    /// - Returns: The offset of its tag.
    /// - Throws: ``VolumeFormatError/sizeOutOfRange(_:)`` where no file reaches.
    public static func offset(ofBlock index: UInt64) throws(VolumeFormatError) -> UInt64 {
        guard index <= maximumPlaintextCount / UInt64(blockCount) else {
            throw .sizeOutOfRange(index)
        }
        return UInt64(headerCount) + index * UInt64(sealedBlockCount)
    }

    /// Seals one block.
    ///
    /// Allocates nothing.
    ///
    /// - Parameters:
    ///   - plaintext: 1...65536 bytes; short only for the last block. May overlap `sealed`.
    ///   - index: Zero-based; never sealed twice with different content under one nonce.
    ///   - nonce: The file's.
    ///   - keys: The volume's.
    ///   - sealed: Receives tag (16) ‖ ciphertext; exactly `plaintext.count` + 16 bytes.
    /// - Throws: ``VolumeFormatError/invalidBlockBuffer(found:)``.
    public static func sealBlock(
        _ plaintext: UnsafeRawBufferPointer,
        index: UInt64,
        nonce: FileNonce,
        keys: RcloneKeys,
        into sealed: UnsafeMutableRawBufferPointer
    ) throws(VolumeFormatError) {
        guard (1...blockCount).contains(plaintext.count) else {
            throw .invalidBlockBuffer(found: plaintext.count)
        }
        guard sealed.count == plaintext.count + SecretBox.tagCount else {
            throw .invalidBlockBuffer(found: sealed.count)
        }
        nonce.forBlock(index).withUnsafeBytes { nonce in
            SecretBox.seal(plaintext, key: keys.dataKey, nonce: nonce, into: sealed)
        }
    }

    /// Checks and opens one block.
    ///
    /// Allocates nothing, and writes nothing unless the tag is right.
    ///
    /// - Parameters:
    ///   - sealed: tag (16) ‖ ciphertext, 17...65552 bytes. May overlap `plaintext`.
    ///   - index: Zero-based.
    ///   - nonce: The file's.
    ///   - keys: The volume's.
    ///   - plaintext: Receives the content; exactly `sealed.count` − 16 bytes.
    /// - Throws: ``VolumeFormatError/blockDamaged(index:)``,
    ///   ``VolumeFormatError/blockTruncated(found:)``,
    ///   ``VolumeFormatError/invalidBlockBuffer(found:)``.
    public static func openBlock(
        _ sealed: UnsafeRawBufferPointer,
        index: UInt64,
        nonce: FileNonce,
        keys: RcloneKeys,
        into plaintext: UnsafeMutableRawBufferPointer
    ) throws(VolumeFormatError) {
        guard sealed.count <= sealedBlockCount else {
            throw .invalidBlockBuffer(found: sealed.count)
        }
        guard sealed.count > SecretBox.tagCount else {
            throw .blockTruncated(found: UInt64(sealed.count))
        }
        guard plaintext.count == sealed.count - SecretBox.tagCount else {
            throw .invalidBlockBuffer(found: plaintext.count)
        }
        let isOpen = nonce.forBlock(index).withUnsafeBytes { nonce in
            do throws(CryptographyError) {
                try SecretBox.open(sealed, key: keys.dataKey, nonce: nonce, into: plaintext)
                return true
            } catch {
                return false
            }
        }
        guard isOpen else { throw .blockDamaged(index: index) }
    }
}
