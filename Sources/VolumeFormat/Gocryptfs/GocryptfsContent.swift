internal import Cryptography

/// Seals and opens the blocks of files, for one thread.
///
/// Holds the expanded key and room for nonces; nothing is allocated after initialisation. Every
/// sealed block gets a nonce of its own at random, so blocks can be written over in place, in any
/// order. A block is bound to its file and its place in it: n bytes (1...4096) are stored as
/// nonce ‖ ciphertext (n) ‖ tag (16), with the block's index as 8 bytes, big-endian, and the file's
/// number as associated data.
///
/// Format: `docs/formats.md` §9.
public struct GocryptfsContent: ~Copyable {
    /// Where blocks lie.
    public let geometry: GocryptfsGeometry

    private let cipher: GocryptfsContentCipher
    private let nonceCount: Int
    // Nonces of as many blocks as are drawn in one call, and none is kept for the next: a snapshot
    // of a machine that is started twice must not hold nonces to come.
    private let nonces: UnsafeMutableRawBufferPointer

    private static let batch = 256

    /// Expands a key.
    ///
    /// - Parameter keys: The volume's.
    /// - Throws: ``VolumeFormatError/cryptography(_:)``.
    public init(keys: GocryptfsKeys) throws(VolumeFormatError) {
        cipher = try primitive { () throws(CryptographyError) in try GocryptfsContentCipher(keys) }
        geometry = GocryptfsGeometry(keys.cipher)
        nonceCount = keys.cipher.nonceCount
        nonces = .allocate(byteCount: Self.batch * nonceCount, alignment: 16)
    }

    deinit {
        nonces.deallocate()
    }

    /// Seals consecutive blocks.
    ///
    /// - Parameters:
    ///   - plaintext: Content from the beginning of the first block; all blocks but the last are
    ///     full. May be empty. Does not overlap `sealed`.
    ///   - first: The first block's index, zero-based.
    ///   - id: The file's.
    ///   - sealed: Receives the blocks; exactly
    ///     ``GocryptfsGeometry/sealedCount(ofBlocks:)`` bytes.
    /// - Throws: ``VolumeFormatError/invalidBlockBuffer(found:)``,
    ///   ``VolumeFormatError/cryptography(_:)``.
    public mutating func seal(
        _ plaintext: UnsafeRawBufferPointer,
        from first: UInt64,
        of id: GocryptfsFileID,
        into sealed: UnsafeMutableRawBufferPointer
    ) throws(VolumeFormatError) {
        guard sealed.count == geometry.sealedCount(ofBlocks: plaintext.count) else {
            throw .invalidBlockBuffer(found: sealed.count)
        }
        var context = BlockContext(index: first, id: id)
        var (read, written, drawn) = (0, 0, 0)
        while read < plaintext.count {
            if drawn == 0 {
                let rest = plaintext.count - read
                drawn = min(
                    (rest + GocryptfsGeometry.blockCount - 1) / GocryptfsGeometry.blockCount,
                    Self.batch
                )
                RandomBytes.fill(
                    UnsafeMutableRawBufferPointer(rebasing: nonces[..<(drawn * nonceCount)])
                )
            }
            drawn -= 1
            let count = min(plaintext.count - read, GocryptfsGeometry.blockCount)
            let nonce = UnsafeRawBufferPointer(
                rebasing: nonces[drawn * nonceCount..<(drawn + 1) * nonceCount]
            )
            let end = written + count + geometry.overhead
            try sealMessage(
                UnsafeRawBufferPointer(rebasing: plaintext[read..<read + count]),
                nonce: nonce,
                context: context,
                into: UnsafeMutableRawBufferPointer(rebasing: sealed[written..<end])
            )
            read += count
            written = end
            context.advance()
        }
    }

    /// Checks and opens consecutive blocks.
    ///
    /// A full block of nothing but zeros is a hole: it opens to zeros.
    ///
    /// - Parameters:
    ///   - sealed: Stored bytes from the beginning of the first block; all blocks but the last are
    ///     full. Does not overlap `plaintext`.
    ///   - first: The first block's index, zero-based.
    ///   - id: The file's.
    ///   - plaintext: Receives the content; exactly as long as it is. Blocks before a damaged one
    ///     are open when that is thrown; nothing of the damaged one is.
    /// - Throws: ``VolumeFormatError/blockDamaged(index:)``,
    ///   ``VolumeFormatError/blockTruncated(found:)``,
    ///   ``VolumeFormatError/invalidBlockBuffer(found:)``.
    public mutating func open(
        _ sealed: UnsafeRawBufferPointer,
        from first: UInt64,
        of id: GocryptfsFileID,
        into plaintext: UnsafeMutableRawBufferPointer
    ) throws(VolumeFormatError) {
        let (blocks, rest) = sealed.count.quotientAndRemainder(
            dividingBy: geometry.sealedBlockCount
        )
        guard rest == 0 || rest > geometry.overhead else {
            throw .blockTruncated(found: UInt64(rest))
        }
        let last = rest == 0 ? 0 : rest - geometry.overhead
        guard plaintext.count == blocks * GocryptfsGeometry.blockCount + last else {
            throw .invalidBlockBuffer(found: plaintext.count)
        }
        var context = BlockContext(index: first, id: id)
        var (read, written) = (0, 0)
        while read < sealed.count {
            let end = min(read + geometry.sealedBlockCount, sealed.count)
            let count = end - read - geometry.overhead
            try openMessage(
                UnsafeRawBufferPointer(rebasing: sealed[read..<end]),
                context: context,
                into: UnsafeMutableRawBufferPointer(rebasing: plaintext[written..<written + count])
            )
            read = end
            written += count
            context.advance()
        }
    }

    private func sealMessage(
        _ plaintext: UnsafeRawBufferPointer,
        nonce: UnsafeRawBufferPointer,
        context: BlockContext,
        into sealed: UnsafeMutableRawBufferPointer
    ) throws(VolumeFormatError) {
        sealed.copyMemory(from: nonce)
        let body = UnsafeMutableRawBufferPointer(rebasing: sealed[nonceCount...])
        try primitive { () throws(CryptographyError) in
            try context.withUnsafeBytes { data throws(CryptographyError) in
                try cipher.seal(plaintext, nonce: nonce, associatedData: data, into: body)
            }
        }
    }

    private func openMessage(
        _ sealed: UnsafeRawBufferPointer,
        context: BlockContext,
        into plaintext: UnsafeMutableRawBufferPointer
    ) throws(VolumeFormatError) {
        let nonce = UnsafeRawBufferPointer(rebasing: sealed[..<nonceCount])
        let body = UnsafeRawBufferPointer(rebasing: sealed[nonceCount...])
        if nonce.isZero {
            guard sealed.count == geometry.sealedBlockCount, body.isZero else {
                throw .blockDamaged(index: context.index)
            }
            plaintext.initializeMemory(as: UInt8.self, repeating: 0)
            return
        }
        let isOpen = context.withUnsafeBytes { data in
            do throws(CryptographyError) {
                try cipher.open(body, nonce: nonce, associatedData: data, into: plaintext)
                return true
            } catch {
                return false
            }
        }
        guard isOpen else { throw .blockDamaged(index: context.index) }
    }

    /// Seals what is no block of a file: the target of a symbolic link, the value of an attribute.
    ///
    /// - Parameter value: Any length.
    /// - Returns: nonce ‖ ciphertext ‖ tag, under associated data of eight zeros; nothing for
    ///   nothing.
    /// - Throws: ``VolumeFormatError/cryptography(_:)``.
    public mutating func sealValue(
        _ value: UnsafeRawBufferPointer
    ) throws(VolumeFormatError) -> [UInt8] {
        guard !value.isEmpty else { return [] }
        RandomBytes.fill(UnsafeMutableRawBufferPointer(rebasing: nonces[..<nonceCount]))
        var sealed = [UInt8](repeating: 0, count: value.count + geometry.overhead)
        try sealed.withUnsafeMutableBufferPointer { sealed throws(VolumeFormatError) in
            try sealMessage(
                value,
                nonce: UnsafeRawBufferPointer(rebasing: nonces[..<nonceCount]),
                context: BlockContext.value,
                into: UnsafeMutableRawBufferPointer(sealed)
            )
        }
        return sealed
    }

    /// Opens what ``sealValue(_:)`` made.
    ///
    /// - Throws: ``VolumeFormatError/valueDamaged``.
    public mutating func openValue(
        _ sealed: UnsafeRawBufferPointer
    ) throws(VolumeFormatError) -> [UInt8] {
        guard !sealed.isEmpty else { return [] }
        guard sealed.count > geometry.overhead,
            !UnsafeRawBufferPointer(rebasing: sealed[..<nonceCount]).isZero
        else { throw .valueDamaged }
        var value = [UInt8](repeating: 0, count: sealed.count - geometry.overhead)
        do throws(VolumeFormatError) {
            try value.withUnsafeMutableBufferPointer { value throws(VolumeFormatError) in
                try openMessage(
                    sealed,
                    context: BlockContext.value,
                    into: UnsafeMutableRawBufferPointer(value)
                )
            }
        } catch {
            throw .valueDamaged
        }
        return value
    }
}

/// What a message is bound to: index (8, big-endian) ‖ the file's number (16), or the index alone.
private struct BlockContext {
    private var words: (UInt64, UInt64, UInt64)
    private let count: Int

    /// Of what belongs to no file.
    static let value = BlockContext(words: (0, 0, 0), count: 8)

    init(index: UInt64, id: GocryptfsFileID) {
        self.init(words: (index.bigEndian, id.words.0, id.words.1), count: 24)
    }

    private init(words: (UInt64, UInt64, UInt64), count: Int) {
        self.words = words
        self.count = count
    }

    var index: UInt64 { UInt64(bigEndian: words.0) }

    mutating func advance() {
        words.0 = (index &+ 1).bigEndian
    }

    func withUnsafeBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try Swift.withUnsafeBytes(of: words) { bytes throws(Failure) in
            try body(UnsafeRawBufferPointer(rebasing: bytes[..<count]))
        }
    }
}

extension UnsafeRawBufferPointer {
    /// Whether there is nothing but zeros.
    fileprivate var isZero: Bool {
        var offset = 0
        while offset + 8 <= count {
            if loadUnaligned(fromByteOffset: offset, as: UInt64.self) != 0 { return false }
            offset += 8
        }
        return self[offset...].allSatisfy { $0 == 0 }
    }
}
