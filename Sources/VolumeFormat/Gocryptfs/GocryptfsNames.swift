internal import Cryptography

/// Names of one gocryptfs volume: what is stored in the directory for a name, and the reverse.
///
/// A name is padded to whole blocks of 16 bytes (PKCS#7), enciphered with EME under the bytes of its
/// directory, and written in base64url. Where that text is longer than an entry may be, the entry is
/// `gocryptfs.longname.` and the text's SHA-256 in base64url, and the text is the content of a file
/// beside it with `.name` after that. A stored name is accepted only if the same name would be
/// stored so again. Allocates nothing; safe to use from several threads.
///
/// Format: `docs/formats.md` §9.
public final class GocryptfsNames: Sendable {
    /// Longest entry of a directory, and longest name, in bytes.
    public static let maximumEntryCount = 255

    /// Longest encrypted name as text, in bytes: of a name of 255 bytes.
    public static let maximumTextCount = 344

    /// What a buffer for text is to hold: ``maximumTextCount`` and a NUL.
    public static let textCapacity = maximumTextCount + 1

    /// How names are stored.
    public let scheme: GocryptfsNameScheme

    let cipher: GocryptfsNameCipher

    /// Sets the name cipher up.
    ///
    /// - Parameters:
    ///   - keys: The volume's.
    ///   - scheme: How names are stored.
    /// - Throws: ``VolumeFormatError/cryptography(_:)``.
    public init(keys: GocryptfsKeys, scheme: GocryptfsNameScheme) throws(VolumeFormatError) {
        self.scheme = scheme
        switch scheme {
        // Attributes' names are encrypted all the same, without `Raw64`.
        case .plaintext: cipher = try GocryptfsNameCipher(keys: keys, isPadded: true)
        case .encrypted(let scheme):
            cipher = try GocryptfsNameCipher(keys: keys, isPadded: scheme.isPadded)
        }
    }

    /// Encrypts a name.
    ///
    /// - Parameters:
    ///   - name: 1...255 bytes of any kind but NUL and slash.
    ///   - directory: Of the directory it is in.
    ///   - text: Receives the encrypted name; at least ``textCapacity`` bytes.
    /// - Returns: How many bytes were written; more than ``isLong(_:)`` allows do not go into an
    ///   entry.
    /// - Throws: ``VolumeFormatError/name(_:)``.
    public func encrypt(
        _ name: UnsafeRawBufferPointer,
        in directory: GocryptfsDirectoryIV,
        into text: UnsafeMutableRawBufferPointer
    ) throws(VolumeFormatError) -> Int {
        do throws(NameFault) {
            try Self.check(name)
            guard case .encrypted = scheme else {
                text.copyMemory(from: name)
                return name.count
            }
            return try cipher.encrypt(name, directory, into: text)
        } catch {
            throw .name(error)
        }
    }

    /// Whether an encrypted name of that length is replaced by its hash.
    public func isLong(_ textCount: Int) -> Bool {
        guard case .encrypted(let scheme) = scheme, let maximum = scheme.longNameMax else {
            return false
        }
        return textCount > maximum
    }

    /// The entry a name is stored under.
    ///
    /// - Parameters:
    ///   - name: 1...255 bytes of any kind but NUL and slash.
    ///   - directory: Of the directory it is in.
    ///   - entry: Receives the entry; at least ``textCapacity`` bytes.
    /// - Returns: The entry's length in bytes, and whether a file with the encrypted name belongs
    ///   beside it.
    /// - Throws: ``VolumeFormatError/name(_:)``.
    public func entry(
        for name: UnsafeRawBufferPointer,
        in directory: GocryptfsDirectoryIV,
        into entry: UnsafeMutableRawBufferPointer
    ) throws(VolumeFormatError) -> (count: Int, isLong: Bool) {
        let count = try encrypt(name, in: directory, into: entry)
        if isLong(count) {
            return (
                longEntry(of: UnsafeRawBufferPointer(rebasing: entry[..<count]), into: entry), true
            )
        }
        guard count <= Self.maximumEntryCount else { throw .name(.tooLong(found: count)) }
        return (count, false)
    }

    /// Decrypts an entry of kind ``GocryptfsEntryKind/name``.
    ///
    /// - Parameters:
    ///   - entry: As in the directory.
    ///   - directory: Of the directory it is in.
    ///   - name: Receives the name; at least ``maximumEntryCount`` bytes.
    /// - Returns: How many bytes were written.
    /// - Throws: ``VolumeFormatError/name(_:)``.
    public func decrypt(
        _ entry: UnsafeRawBufferPointer,
        in directory: GocryptfsDirectoryIV,
        into name: UnsafeMutableRawBufferPointer
    ) throws(VolumeFormatError) -> Int {
        do throws(NameFault) {
            guard case .encrypted = scheme else {
                try Self.check(entry)
                name.copyMemory(from: entry)
                return entry.count
            }
            guard !isLong(entry.count) else { throw .notCanonical }
            let count = try cipher.decrypt(entry, directory, into: name)
            try Self.check(UnsafeRawBufferPointer(rebasing: name[..<count]))
            return count
        } catch {
            throw .name(error)
        }
    }

    /// Decrypts a long name.
    ///
    /// - Parameters:
    ///   - text: What is in the file beside the entry, at most ``maximumTextCount`` bytes; one more
    ///     is enough to tell that it is longer.
    ///   - entry: Of kind ``GocryptfsEntryKind/longContent``.
    ///   - directory: Of the directory both are in.
    ///   - name: Receives the name; at least ``maximumEntryCount`` bytes.
    /// - Returns: How many bytes were written.
    /// - Throws: ``VolumeFormatError/name(_:)``, with ``NameFault/notOfThisEntry`` for a text that
    ///   belongs to another.
    public func decryptLong(
        _ text: UnsafeRawBufferPointer,
        entry: UnsafeRawBufferPointer,
        in directory: GocryptfsDirectoryIV,
        into name: UnsafeMutableRawBufferPointer
    ) throws(VolumeFormatError) -> Int {
        do throws(NameFault) {
            guard text.count <= Self.maximumTextCount else { throw .tooLong(found: text.count) }
            var expected = InlineArray<64, UInt8>(repeating: 0)
            let matches = withUnsafeMutableBytes(of: &expected) { expected in
                let count = longEntry(of: text, into: expected)
                return entry.elementsEqual(UnsafeRawBufferPointer(rebasing: expected[..<count]))
            }
            guard matches else { throw .notOfThisEntry }
            guard isLong(text.count) else { throw .notCanonical }
            let count = try cipher.decrypt(text, directory, into: name)
            try Self.check(UnsafeRawBufferPointer(rebasing: name[..<count]))
            return count
        } catch {
            throw .name(error)
        }
    }

    /// The entry of a long name.
    ///
    /// - Parameters:
    ///   - text: The encrypted name.
    ///   - entry: Receives the entry, 62 bytes, of padded base64 63; at least 64 bytes. May be the
    ///     memory of `text`.
    /// - Returns: How many bytes were written.
    public func longEntry(
        of text: UnsafeRawBufferPointer,
        into entry: UnsafeMutableRawBufferPointer
    ) -> Int {
        var digest = InlineArray<32, UInt8>(repeating: 0)
        return withUnsafeMutableBytes(of: &digest) { digest in
            SHA256.digest(of: text, into: digest)
            return Self.longNamePrefix.withUTF8Buffer { prefix in
                entry.copyMemory(from: UnsafeRawBufferPointer(prefix))
                let rest = UnsafeMutableRawBufferPointer(rebasing: entry[prefix.count...])
                return prefix.count
                    + Base64.encode(UnsafeRawBufferPointer(digest), as: cipher.encoding, into: rest)
            }
        }
    }

    private static func check(_ name: UnsafeRawBufferPointer) throws(NameFault) {
        guard name.count <= maximumEntryCount else { throw .tooLong(found: name.count) }
        guard !name.isEmpty, !name.elementsEqual([0x2e]), !name.elementsEqual([0x2e, 0x2e]),
            !name.contains(0x2f), !name.contains(0)
        else { throw .notPermitted }
    }
}
