package import Linux
package import VolumeFormat

/// A file in its stored form: a header, then blocks, each sealed once under the header's nonce.
///
/// Immutable once it has its name. While it is a draft, blocks are added, in any order.
package final class SealedFile: Sendable {
    package let descriptor: OwnedDescriptor
    package let nonce: FileNonce

    private let keys: RcloneKeys

    package static var blockCount: Int { RcloneContent.blockCount }
    package static var sealedBlockCount: Int { RcloneContent.sealedBlockCount }

    /// A file that has or gets a header with `nonce`.
    package init(_ descriptor: consuming OwnedDescriptor, nonce: FileNonce, keys: RcloneKeys) {
        self.descriptor = descriptor
        self.nonce = nonce
        self.keys = keys
    }

    /// Reads the header of a stored file.
    package convenience init(
        opening descriptor: consuming OwnedDescriptor,
        keys: RcloneKeys
    ) throws(SealedFileError) {
        let number = descriptor.rawValue
        let header = try withUnsafeTemporaryAllocation(
            byteCount: RcloneFileHeader.count,
            alignment: 8
        ) { buffer throws(SealedFileError) in
            let count: Int
            do throws(Errno) {
                count = try FileCall.read(number, at: 0, into: buffer)
            } catch {
                throw .system(error)
            }
            do throws(VolumeFormatError) {
                return try RcloneFileHeader(
                    parsing: UnsafeRawBufferPointer(rebasing: buffer[..<count])
                )
            } catch {
                throw .damaged(error)
            }
        }
        self.init(descriptor, nonce: header.nonce, keys: keys)
    }

    /// The length of a stored file's content at present, in bytes.
    package func storedContentSize() throws(SealedFileError) -> UInt64 {
        let status: FileStatus
        do throws(Errno) {
            status = try FileStatus(of: descriptor.rawValue)
        } catch {
            throw .system(error)
        }
        do throws(VolumeFormatError) {
            return try RcloneContent.plaintextCount(forCiphertext: status.size)
        } catch {
            throw .damaged(error)
        }
    }

    /// Writes the header.
    package func writeHeader() throws(Errno) {
        try withUnsafeTemporaryAllocation(
            byteCount: RcloneFileHeader.count,
            alignment: 8
        ) { buffer throws(Errno) in
            do throws(VolumeFormatError) {
                try RcloneFileHeader(nonce: nonce).write(into: buffer)
            } catch {
                // Only a shorter buffer fails.
                throw .inputOutput
            }
            try FileCall.write(descriptor.rawValue, at: 0, UnsafeRawBufferPointer(buffer))
        }
    }

    /// Reads and opens successive blocks.
    ///
    /// - Parameters:
    ///   - first: The first block's index.
    ///   - size: The length of the file's content.
    ///   - plain: Receives the content from there on; what lies behind the file's end is zeroed.
    ///     Whole blocks.
    ///   - sealed: Room for as many sealed blocks.
    /// - Throws: ``SealedFileError``.
    package func open(
        blocksFrom first: UInt64,
        size: UInt64,
        into plain: UnsafeMutableRawBufferPointer,
        sealed: UnsafeMutableRawBufferPointer
    ) throws(SealedFileError) {
        let start = first * UInt64(Self.blockCount)
        let wanted = start >= size ? 0 : Int(min(UInt64(plain.count), size - start))
        let blocks = (wanted + Self.blockCount - 1) / Self.blockCount
        let sealedCount = wanted + blocks * (Self.sealedBlockCount - Self.blockCount)
        if wanted > 0 {
            let part = UnsafeMutableRawBufferPointer(rebasing: sealed[..<sealedCount])
            let read: Int
            do throws(Errno) {
                read = try FileCall.read(
                    descriptor.rawValue,
                    at: Self.offset(ofBlock: first),
                    into: part
                )
            } catch {
                throw .system(error)
            }
            // Cut off while it was open.
            guard read == sealedCount else {
                throw .damaged(.blockTruncated(found: UInt64(read)))
            }
            for block in 0..<blocks {
                try open(block: block, of: first, UnsafeRawBufferPointer(part), into: plain, wanted)
            }
        }
        UnsafeMutableRawBufferPointer(rebasing: plain[wanted...])
            .initializeMemory(as: UInt8.self, repeating: 0)
    }

    private func open(
        block: Int,
        of first: UInt64,
        _ sealed: UnsafeRawBufferPointer,
        into plain: UnsafeMutableRawBufferPointer,
        _ wanted: Int
    ) throws(SealedFileError) {
        let start = block * Self.sealedBlockCount
        let end = min(start + Self.sealedBlockCount, sealed.count)
        let plainStart = block * Self.blockCount
        let plainEnd = min(plainStart + Self.blockCount, wanted)
        do throws(VolumeFormatError) {
            try RcloneContent.openBlock(
                UnsafeRawBufferPointer(rebasing: sealed[start..<end]),
                index: first + UInt64(block),
                nonce: nonce,
                keys: keys,
                into: UnsafeMutableRawBufferPointer(rebasing: plain[plainStart..<plainEnd])
            )
        } catch {
            throw .damaged(error)
        }
    }

    /// Seals and writes successive blocks.
    ///
    /// The caller has seen to it that none of these indices was sealed before under this nonce.
    ///
    /// - Parameters:
    ///   - first: The first block's index.
    ///   - plain: Whole blocks; the last may be short if it ends the file.
    ///   - sealed: Room for as many sealed blocks.
    /// - Throws: What writing failed with.
    package func seal(
        blocksFrom first: UInt64,
        _ plain: UnsafeRawBufferPointer,
        sealed: UnsafeMutableRawBufferPointer
    ) throws(Errno) {
        var from = 0
        var to = 0
        var index = first
        while from < plain.count {
            let count = min(Self.blockCount, plain.count - from)
            let sealedCount = count + Self.sealedBlockCount - Self.blockCount
            do throws(VolumeFormatError) {
                try RcloneContent.sealBlock(
                    UnsafeRawBufferPointer(rebasing: plain[from..<from + count]),
                    index: index,
                    nonce: nonce,
                    keys: keys,
                    into: UnsafeMutableRawBufferPointer(
                        rebasing: sealed[to..<to + sealedCount]
                    )
                )
            } catch {
                // Only a buffer of a wrong length fails, and these are not.
                throw .inputOutput
            }
            from += count
            to += sealedCount
            index += 1
        }
        try FileCall.write(
            descriptor.rawValue,
            at: Self.offset(ofBlock: first),
            UnsafeRawBufferPointer(rebasing: sealed[..<to])
        )
        // Of a large file the disk gets its part at once: who waits for all of it in the end waits
        // less.
        if to >= Self.eagerCount, first >= Self.eagerStart {
            FileCall.startWriting(descriptor.rawValue, at: Self.offset(ofBlock: first), count: to)
        }
    }

    /// How many bytes at once, and from which block on, are given to the disk early.
    private static var eagerCount: Int { 512 << 10 }
    private static var eagerStart: UInt64 { 128 }

    private static func offset(ofBlock index: UInt64) -> UInt64 {
        UInt64(RcloneContent.headerCount) + index * UInt64(sealedBlockCount)
    }
}

/// Why a stored file cannot be read.
package enum SealedFileError: Error {
    /// The kernel's error.
    case system(Errno)

    /// What is there is not what was written.
    case damaged(VolumeFormatError)
}
