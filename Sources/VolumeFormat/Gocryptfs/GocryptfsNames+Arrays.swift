/// A name as it is stored.
public struct GocryptfsStoredName: Equatable, Sendable {
    /// The directory's entry, at most 255 bytes.
    public let entry: [UInt8]

    /// The content of the file beside it, `entry` and `.name`; nil where the name is not long.
    public let longText: [UInt8]?

    /// Puts the two together, as they were read.
    public init(entry: [UInt8], longText: [UInt8]?) {
        self.entry = entry
        self.longText = longText
    }
}

// For those who handle names one at a time.
extension GocryptfsNames {
    /// Encrypts a name.
    ///
    /// - Throws: ``VolumeFormatError/name(_:)``.
    public func store(
        _ name: [UInt8],
        in directory: GocryptfsDirectoryIV
    ) throws(VolumeFormatError) -> GocryptfsStoredName {
        let text = try text(of: name, in: directory)
        guard isLong(text.count) else {
            guard text.count <= Self.maximumEntryCount else {
                throw .name(.tooLong(found: text.count))
            }
            return GocryptfsStoredName(entry: text, longText: nil)
        }
        let entry = [UInt8](unsafeUninitializedCapacity: 64) { entry, count in
            text.withUnsafeBytes { text in
                count = longEntry(of: text, into: UnsafeMutableRawBufferPointer(entry))
            }
        }
        return GocryptfsStoredName(entry: entry, longText: text)
    }

    /// Decrypts an entry, or the text beside it where that is given.
    ///
    /// - Throws: ``VolumeFormatError/name(_:)``.
    public func name(
        of stored: GocryptfsStoredName,
        in directory: GocryptfsDirectoryIV
    ) throws(VolumeFormatError) -> [UInt8] {
        try lending(stored.entry) { entry throws(VolumeFormatError) in
            guard let longText = stored.longText else {
                return try filling(Self.maximumEntryCount) { name throws(VolumeFormatError) in
                    try decrypt(entry, in: directory, into: name)
                }
            }
            return try lending(longText) { text throws(VolumeFormatError) in
                try filling(Self.maximumEntryCount) { name throws(VolumeFormatError) in
                    try decryptLong(text, entry: entry, in: directory, into: name)
                }
            }
        }
    }

    private func text(
        of name: [UInt8],
        in directory: GocryptfsDirectoryIV
    ) throws(VolumeFormatError) -> [UInt8] {
        try lending(name) { name throws(VolumeFormatError) in
            try filling(Self.textCapacity) { text throws(VolumeFormatError) in
                try encrypt(name, in: directory, into: text)
            }
        }
    }
}

func lending<Result, Failure: Error>(
    _ bytes: [UInt8],
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
) throws(Failure) -> Result {
    try bytes.withUnsafeBufferPointer { bytes throws(Failure) in
        try body(UnsafeRawBufferPointer(bytes))
    }
}

func filling<Failure: Error>(
    _ capacity: Int,
    _ body: (UnsafeMutableRawBufferPointer) throws(Failure) -> Int
) throws(Failure) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: capacity)
    let count = try bytes.withUnsafeMutableBufferPointer { bytes throws(Failure) in
        try body(UnsafeMutableRawBufferPointer(bytes))
    }
    bytes.removeLast(capacity - count)
    return bytes
}
