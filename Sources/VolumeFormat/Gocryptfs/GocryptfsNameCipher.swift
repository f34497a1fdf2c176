internal import Cryptography

/// The cipher of names, and the text it gives.
struct GocryptfsNameCipher: Sendable {
    let encoding: Base64.Variant

    private let cipher: EME

    /// A name of 255 bytes and its padding.
    private typealias Message = InlineArray<256, UInt8>

    init(keys: GocryptfsKeys, isPadded: Bool) throws(VolumeFormatError) {
        encoding = isPadded ? .urlPadded : .url
        cipher = try primitive { () throws(CryptographyError) in try EME(key: keys.nameKey) }
    }

    /// Pads, enciphers and encodes.
    ///
    /// - Parameters:
    ///   - name: 1...255 bytes.
    ///   - directory: What it is bound to.
    ///   - text: At least ``GocryptfsNames/textCapacity`` bytes.
    /// - Returns: How many bytes were written.
    /// - Throws: ``NameFault/tooLong(found:)``.
    func encrypt(
        _ name: UnsafeRawBufferPointer,
        _ directory: GocryptfsDirectoryIV,
        into text: UnsafeMutableRawBufferPointer
    ) throws(NameFault) -> Int {
        var message = Message(repeating: 0)
        return try withUnsafeMutableBytes(of: &message) { message throws(NameFault) in
            message.copyMemory(from: name)
            let padding = 16 - name.count % 16
            let padded = UnsafeMutableRawBufferPointer(rebasing: message[..<(name.count + padding)])
            for index in name.count..<padded.count { padded[index] = UInt8(padding) }
            try directory.withUnsafeBytes { tweak throws(NameFault) in
                do throws(CryptographyError) {
                    try cipher.encrypt(padded, tweak: tweak)
                } catch {
                    throw .tooLong(found: padded.count)
                }
            }
            return Base64.encode(UnsafeRawBufferPointer(padded), as: encoding, into: text)
        }
    }

    /// Decodes, deciphers and takes the padding off.
    ///
    /// - Parameters:
    ///   - text: As ``encrypt(_:_:into:)`` gave it.
    ///   - directory: What it is bound to.
    ///   - name: At least 255 bytes.
    /// - Returns: How many bytes were written, 1...255.
    /// - Throws: ``NameFault``.
    func decrypt(
        _ text: UnsafeRawBufferPointer,
        _ directory: GocryptfsDirectoryIV,
        into name: UnsafeMutableRawBufferPointer
    ) throws(NameFault) -> Int {
        guard text.count <= GocryptfsNames.maximumTextCount else {
            throw .tooLong(found: text.count)
        }
        var message = Message(repeating: 0)
        return try withUnsafeMutableBytes(of: &message) { message throws(NameFault) in
            let count: Int
            do throws(CryptographyError) {
                count = try Base64.decode(text, as: encoding, into: message)
            } catch {
                throw .notEncoded
            }
            let padded = UnsafeMutableRawBufferPointer(rebasing: message[..<count])
            try directory.withUnsafeBytes { tweak throws(NameFault) in
                do throws(CryptographyError) {
                    try cipher.decrypt(padded, tweak: tweak)
                } catch {
                    throw .notBlocks(found: count)
                }
            }
            guard let padding = padded.last.map({ Int($0) }), (1...16).contains(padding),
                padding < count, padded.suffix(padding).allSatisfy({ Int($0) == padding })
            else { throw .notPadded }
            name.copyMemory(
                from: UnsafeRawBufferPointer(rebasing: padded[..<(count - padding)])
            )
            return count - padding
        }
    }
}
