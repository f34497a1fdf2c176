internal import Cryptography
internal import VolumeFormat

/// The master key of `Tests/Fixtures/gocryptfs/deterministic-names`, which the corpus is from.
private let masterKey: GocryptfsMasterKey = {
    let paper = "14a38861c8c6e6bdd02dcb4445bf048d1df097cd0163f1529a1c11ff35f4c857"
    guard let key = GocryptfsMasterKey(paper: SecretBytes(copying: paper.utf8)) else {
        fatalError("no key")
    }
    return key
}()

/// One for each cipher.
private let keys: [GocryptfsKeys] = GocryptfsCipher.allCases.map { cipher in
    guard let keys = try? GocryptfsKeys(masterKey, cipher: cipher) else { fatalError("no keys") }
    return keys
}

/// One way to store names for every first byte of an input.
private let names: [GocryptfsNames] = {
    let schemes: [GocryptfsNameScheme] = [
        .encrypted(.init(hasDirectoryIVs: false)), .plaintext,
        .encrypted(.init(longNameMax: 62)), .encrypted(.init(isPadded: true)),
        .encrypted(.init(longNameMax: nil)),
    ]
    return schemes.map { scheme in
        guard let names = try? GocryptfsNames(keys: keys[0], scheme: scheme) else {
            fatalError("no names")
        }
        return names
    }
}()

func fuzzGocryptfsConfiguration(_ input: UnsafeRawBufferPointer) {
    let configuration: GocryptfsConfiguration
    do throws(VolumeFormatError) {
        configuration = try GocryptfsConfiguration(parsing: input)
    } catch {
        invariant(!error.description.isEmpty, "a refusal says why")
        return
    }
    let cost = configuration.scrypt.cost
    invariant(cost.memoryCount <= 1 << 30, "no more than 1 GiB for a password")
    let again = try? configuration.text.withUnsafeBytes { try GocryptfsConfiguration(parsing: $0) }
    invariant(again == configuration, "a configuration is read as it was written")
    // Any other cost would take the time of a thousand inputs.
    if cost == GocryptfsScrypt(exponent: 10).cost {
        _ = try? configuration.unlock(password: SecretBytes(copying: "golden volume".utf8))
    }
}

/// A byte for the way names are stored, then an entry, or a name and a line's end before its text.
func fuzzGocryptfsNames(_ input: UnsafeRawBufferPointer) {
    guard let first = input.first else { return }
    let names = names[Int(first) % names.count]
    let bytes = Array(input.dropFirst())
    let iv = GocryptfsDirectoryIV.deterministic
    _ = bytes.withUnsafeBytes { names.kind(of: $0, isRoot: true) }

    func check(_ stored: GocryptfsStoredName) {
        guard let name = try? names.name(of: stored, in: iv) else { return }
        invariant((1...255).contains(name.count), "a name of a length that names have")
        invariant(name != [0x2e] && name != [0x2e, 0x2e], "a real name")
        invariant(!name.contains(0x2f) && !name.contains(0), "no slash and no NUL")
        if stored.entry.count <= 255 {
            invariant((try? names.store(name, in: iv)) == stored, "one stored form of a name")
        }
    }
    check(GocryptfsStoredName(entry: bytes, longText: nil))
    let entry = Array(bytes.prefix { $0 != 0x0a })
    check(GocryptfsStoredName(entry: entry, longText: Array(bytes.dropFirst(entry.count + 1))))

    if let stored = try? names.store(bytes, in: iv) {
        invariant(stored.entry.count <= 255, "an entry that a directory can have")
        invariant((try? names.name(of: stored, in: iv)) == bytes, "a name comes back as it was")
    }
    if let stored = try? names.encryptAttributeName(bytes) {
        invariant((try? names.decryptAttributeName(stored)) == bytes, "an attribute's name too")
    }
    _ = try? names.decryptAttributeName(bytes)
    _ = try? names.decodeTarget(bytes)
    _ = try? GocryptfsDirectoryIV(parsing: input)
}

/// A byte for the cipher, then a stored file.
func fuzzGocryptfsContent(_ input: UnsafeRawBufferPointer) {
    guard let first = input.first else { return }
    let keys = keys[Int(first) % keys.count]
    let file = UnsafeRawBufferPointer(rebasing: input.dropFirst())
    guard var content = try? GocryptfsContent(keys: keys) else { fatalError("no cipher") }
    let geometry = content.geometry
    let size = UInt64(file.count)
    if let plain = try? geometry.plaintextCount(forStored: size) {
        invariant(geometry.shownCount(forStored: size) == plain, "a size is shown as it is")
        if plain > 0 {
            invariant(
                (try? geometry.storedCount(forPlaintext: plain)) == size,
                "a size that is accepted is some content's"
            )
        }
    }
    _ = try? content.openValue(file)
    guard let header = try? GocryptfsFileHeader(parsing: file) else { return }
    let sealed = UnsafeRawBufferPointer(rebasing: file.dropFirst(GocryptfsFileHeader.count))
    let count = Int(geometry.shownCount(forStored: size))
    let plain = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 1)
    defer { plain.deallocate() }
    do throws(VolumeFormatError) {
        try content.open(sealed, from: 0, of: header.id, into: plain)
        let again = UnsafeMutableRawBufferPointer.allocate(
            byteCount: geometry.sealedCount(ofBlocks: count),
            alignment: 1
        )
        defer { again.deallocate() }
        try content.seal(UnsafeRawBufferPointer(plain), from: 0, of: header.id, into: again)
        invariant(again.count == sealed.count, "content that opens is sealed as long again")
        try content.open(UnsafeRawBufferPointer(again), from: 0, of: header.id, into: plain)
    } catch {
        _ = error.description
    }
}

/// A note's header; what is behind it is not looked at.
func fuzzWriteNotes(_ input: UnsafeRawBufferPointer) {
    let header = UnsafeRawBufferPointer(rebasing: input.prefix(WriteNote.headerCount))
    let longest: UInt64 = 2 << 20
    guard let note = WriteNote(parsing: header, longest: longest) else { return }
    invariant(note.count > 0, "something is noted")
    invariant(note.offset + note.count <= UInt64(Int64.max), "where a file can have something")
    invariant(
        note.noteCount <= longest + UInt64(WriteNote.headerCount),
        "no longer than there is room for"
    )
    var again = InlineArray<64, UInt8>(repeating: 0xff)
    withUnsafeMutableBytes(of: &again) { again in
        note.write(into: again)
        invariant(again.elementsEqual(header), "a note is written as it was read")
    }
}
