internal import CryptFS
internal import Linux
internal import VolumeFormat

/// A stored file of gocryptfs's format: for one thread.
final class GocryptfsStoredFile {
    let descriptor: OwnedDescriptor

    private let id: GocryptfsFileID
    private var content: GocryptfsContent

    /// Whether the header is there, or comes with the first content, wherever that is.
    private var hasHeader = true

    /// Where the file has no content.
    var holes: GocryptfsHoles { GocryptfsHoles(of: descriptor.rawValue, content.geometry) }

    /// Reads a file's header; one without content has none.
    init(
        opening descriptor: consuming OwnedDescriptor,
        size: UInt64,
        keys: GocryptfsKeys
    ) throws(TransferFault) {
        id = size == 0 ? .random() : try Self.readID(descriptor.rawValue)
        content = try Self.content(keys)
        self.descriptor = descriptor
    }

    /// A file that gets its header with its first content.
    init(
        making descriptor: consuming OwnedDescriptor,
        keys: GocryptfsKeys
    ) throws(TransferFault) {
        id = .random()
        content = try Self.content(keys)
        hasHeader = false
        self.descriptor = descriptor
    }

    /// The length of its content at present, in bytes.
    func contentSize() throws(TransferFault) -> UInt64 {
        let number = descriptor.rawValue
        let size = try system { () throws(Errno) in try FileStatus(of: number).size }
        return try damaging { () throws(VolumeFormatError) in
            try content.geometry.plaintextCount(forStored: size)
        }
    }

    /// Fills a buffer with content, from a block's beginning.
    func read(
        at offset: UInt64,
        into plain: UnsafeMutableRawBufferPointer,
        sealed: UnsafeMutableRawBufferPointer
    ) throws(TransferFault) {
        let first = GocryptfsGeometry.block(at: offset).index
        let sealed = UnsafeMutableRawBufferPointer(
            rebasing: sealed[..<content.geometry.sealedCount(ofBlocks: plain.count)]
        )
        let start = try place(first)
        let number = descriptor.rawValue
        let count = try system { () throws(Errno) in
            try FileCall.read(number, at: start, into: sealed)
        }
        // Cut off while it was open.
        guard count == sealed.count else { throw .damaged(.blockTruncated(found: UInt64(count))) }
        try damaging { () throws(VolumeFormatError) in
            try content.open(UnsafeRawBufferPointer(sealed), from: first, of: id, into: plain)
        }
    }

    /// Seals and writes content, from a block's beginning.
    func write(
        at offset: UInt64,
        _ plain: UnsafeRawBufferPointer,
        sealed: UnsafeMutableRawBufferPointer
    ) throws(TransferFault) {
        guard !plain.isEmpty else { return }
        let number = descriptor.rawValue
        if !hasHeader { try writeHeader() }
        let first = GocryptfsGeometry.block(at: offset).index
        let sealed = UnsafeMutableRawBufferPointer(
            rebasing: sealed[..<content.geometry.sealedCount(ofBlocks: plain.count)]
        )
        try damaging { () throws(VolumeFormatError) in
            try content.seal(plain, from: first, of: id, into: sealed)
        }
        let start = try place(first)
        try system { () throws(Errno) in
            try FileCall.write(number, at: start, UnsafeRawBufferPointer(sealed))
        }
    }

    /// Cuts off what is at the end and too short for a block.
    ///
    /// - Returns: The block's index; nil where there is none.
    /// - Throws: ``TransferFault``.
    func cutBrokenEnd() throws(TransferFault) -> UInt64? {
        do throws(TransferFault) {
            _ = try contentSize()
            return nil
        } catch .damaged(.blockTruncated(let rest)) {
            let number = descriptor.rawValue
            let size = try system { () throws(Errno) in try FileStatus(of: number).size }
            try system { () throws(Errno) in try FileCall.truncate(number, to: size - rest) }
            return try contentSize() / UInt64(GocryptfsGeometry.blockCount)
        }
    }

    private func writeHeader() throws(TransferFault) {
        let number = descriptor.rawValue
        try withUnsafeTemporaryAllocation(
            byteCount: GocryptfsFileHeader.count,
            alignment: 8
        ) { header throws(TransferFault) in
            try damaging { () throws(VolumeFormatError) in
                try GocryptfsFileHeader(id: id).write(into: header)
            }
            try system { () throws(Errno) in
                try FileCall.write(number, at: 0, UnsafeRawBufferPointer(header))
            }
        }
        hasHeader = true
    }

    private func place(_ block: UInt64) throws(TransferFault) -> UInt64 {
        try damaging { () throws(VolumeFormatError) in
            try content.geometry.offset(ofBlock: block)
        }
    }

    private static func readID(_ descriptor: Int32) throws(TransferFault) -> GocryptfsFileID {
        try withUnsafeTemporaryAllocation(
            byteCount: GocryptfsFileHeader.count,
            alignment: 8
        ) { header throws(TransferFault) in
            let count = try system { () throws(Errno) in
                try FileCall.read(descriptor, at: 0, into: header)
            }
            return try damaging { () throws(VolumeFormatError) in
                let header = UnsafeRawBufferPointer(rebasing: header[..<count])
                return try GocryptfsFileHeader(parsing: header).id
            }
        }
    }

    private static func content(_ keys: GocryptfsKeys) throws(TransferFault) -> GocryptfsContent {
        try damaging { () throws(VolumeFormatError) in try GocryptfsContent(keys: keys) }
    }
}
