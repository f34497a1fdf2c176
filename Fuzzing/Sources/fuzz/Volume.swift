internal import Cryptography
internal import VolumeFormat

/// Keys of zeros, as the corpus is encrypted under: deriving others would cost 50 ms an input.
private let keys: RcloneKeys = {
    guard let keys = try? RcloneKeys(password: SecretBytes(copying: []), salt: nil) else {
        fatalError("no keys")
    }
    return keys
}()

/// One configuration of names for every first byte of an input.
private let names: [RcloneNames] = NameEncryption.allCases.flatMap { encryption in
    NameEncoding.allCases.map { encoding in
        guard
            let names = try? RcloneNames(
                keys: keys,
                encryption: encryption,
                encoding: encoding,
                directoryNames: true
            )
        else { fatalError("no names") }
        return names
    }
}

func fuzzContent(_ input: UnsafeRawBufferPointer) {
    if let size = try? RcloneContent.plaintextCount(forCiphertext: UInt64(input.count)) {
        invariant(
            (try? RcloneContent.ciphertextCount(forPlaintext: size)) == UInt64(input.count),
            "a size that is accepted is some content's"
        )
    }
    if input.count >= 8 {
        let size = input.loadUnaligned(as: UInt64.self)
        if let stored = try? RcloneContent.ciphertextCount(forPlaintext: size) {
            invariant(
                (try? RcloneContent.plaintextCount(forCiphertext: stored)) == size,
                "every content's size can be read back"
            )
        }
        _ = try? RcloneContent.plaintextCount(forCiphertext: size)
        _ = try? RcloneContent.offset(ofBlock: size)
    }
    guard let header = try? RcloneFileHeader(parsing: input) else { return }
    let stored = UnsafeMutableRawBufferPointer.allocate(byteCount: 32, alignment: 1)
    defer { stored.deallocate() }
    try? header.write(into: stored)
    invariant(stored.elementsEqual(input.prefix(32)), "a header is written as it was read")

    var index: UInt64 = 0
    var rest = UnsafeRawBufferPointer(rebasing: input.dropFirst(32))
    while !rest.isEmpty {
        let block = UnsafeRawBufferPointer(rebasing: rest.prefix(RcloneContent.sealedBlockCount))
        rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(block.count))
        checkBlock(block, index: index, nonce: header.nonce)
        index += 1
    }
}

private func checkBlock(_ sealed: UnsafeRawBufferPointer, index: UInt64, nonce: FileNonce) {
    let room = UnsafeMutableRawBufferPointer.allocate(
        byteCount: max(sealed.count - 16, 0),
        alignment: 1
    )
    defer { room.deallocate() }
    do throws(VolumeFormatError) {
        try RcloneContent.openBlock(sealed, index: index, nonce: nonce, keys: keys, into: room)
        let again = UnsafeMutableRawBufferPointer.allocate(byteCount: sealed.count, alignment: 1)
        defer { again.deallocate() }
        try RcloneContent.sealBlock(
            UnsafeRawBufferPointer(room),
            index: index,
            nonce: nonce,
            keys: keys,
            into: again
        )
        invariant(again.elementsEqual(sealed), "a block that opens is sealed the same again")
    } catch {
        _ = error.description
    }
}

func fuzzNames(_ input: UnsafeRawBufferPointer) {
    guard let first = input.first else { return }
    let names = names[Int(first) % names.count]
    let bytes = Array(input.dropFirst())
    let ways:
        [(
            ([UInt8]) throws(VolumeFormatError) -> [UInt8],
            ([UInt8]) throws(VolumeFormatError) -> [UInt8]
        )] = [
            (names.decryptFileName, names.encryptFileName),
            (names.decryptDirectoryName, names.encryptDirectoryName),
            (names.encryptFileName, names.decryptFileName),
            (names.encryptDirectoryName, names.decryptDirectoryName),
        ]
    for (there, back) in ways {
        guard let result = try? there(bytes) else { continue }
        invariant(!result.isEmpty && result != [0x2e] && result != [0x2e, 0x2e], "a real name")
        invariant(!result.contains(0x2f) && !result.contains(0), "no slash and no NUL")
        invariant((try? back(result)) == bytes, "a name that is taken comes back as it was")
    }
}

func fuzzConfiguration(_ input: UnsafeRawBufferPointer) {
    let password = SecretBytes(copying: "fuzz".utf8)
    _ = try? RcloneConfiguration(decrypting: input, password: password)
    _ = try? RcloneConfiguration(decrypting: input, password: SecretBytes(copying: input))
    guard let configuration = try? RcloneConfiguration(parsing: SecretBytes(copying: input)) else {
        return
    }
    for remote in configuration.remoteNames {
        for option in configuration.options(of: remote) {
            invariant(configuration.secret(option, of: remote) != nil, "an option has a value")
        }
        _ = try? RcloneVolumeConfiguration(configuration, remote: remote)
    }
    _ = try? RcloneVolumeConfiguration(configuration)
    guard let file = try? configuration.encrypted(password: password) else { return }
    let again = try? file.withUnsafeBytes {
        try RcloneConfiguration(decrypting: $0, password: password)
    }
    invariant(
        again?.text.isEqual(to: configuration.text) == true,
        "a configuration comes back from encryption"
    )
}
