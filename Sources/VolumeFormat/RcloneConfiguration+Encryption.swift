public import Cryptography

extension RcloneConfiguration {
    private static let marker = "RCLONE_ENCRYPT_V0:"
    private static let anyMarker = "RCLONE_ENCRYPT_V"

    /// Decrypts the file as it is on disk.
    ///
    /// - Parameters:
    ///   - file: The file's bytes.
    ///   - password: The volume's key as text.
    /// - Throws: ``VolumeFormatError/wrongPassword``, ``VolumeFormatError/password(_:)``,
    ///   ``VolumeFormatError/configuration(_:)``; with ``ConfigurationFault/notEncrypted`` for
    ///   plain text, which no key protects.
    public init(
        decrypting file: UnsafeRawBufferPointer,
        password: SecretBytes
    ) throws(VolumeFormatError) {
        guard file.count <= Self.maximumCount else {
            throw .configuration(.tooLong(found: file.count))
        }
        guard let body = try Self.encryptedPart(of: file) else {
            throw .configuration(.notEncrypted)
        }
        let key = try ConfigurationKey.derive(from: password)
        guard let box = try? Base64.decodeSecret(body, as: .standard),
            box.count >= SecretBox.nonceCount + SecretBox.tagCount
        else { throw .configuration(.notDecodable) }
        let text: SecretBytes
        do throws(CryptographyError) {
            text = try box.withUnsafeBytes { box throws(CryptographyError) in
                let nonce = UnsafeRawBufferPointer(rebasing: box[..<SecretBox.nonceCount])
                let sealed = UnsafeRawBufferPointer(rebasing: box[SecretBox.nonceCount...])
                return try SecretBytes(count: sealed.count - SecretBox.tagCount) {
                    (text: UnsafeMutableRawBufferPointer) throws(CryptographyError) in
                    try SecretBox.open(sealed, key: key, nonce: nonce, into: text)
                }
            }
        } catch {
            throw .wrongPassword
        }
        try self.init(parsing: text)
    }

    /// Encrypts the text, under a fresh nonce.
    ///
    /// - Parameter password: The volume's key as text.
    /// - Returns: The file's bytes, as rclone writes them.
    /// - Throws: ``VolumeFormatError/password(_:)``; ``VolumeFormatError/configuration(_:)`` when
    ///   the file would be too long to be read again.
    public func encrypted(password: SecretBytes) throws(VolumeFormatError) -> [UInt8] {
        let key = try ConfigurationKey.derive(from: password)
        let nonce = RandomBytes.make(count: SecretBox.nonceCount)
        let overhead = SecretBox.nonceCount + SecretBox.tagCount
        let box = [UInt8](unsafeUninitializedCapacity: overhead + text.count) { box, count in
            let box = UnsafeMutableRawBufferPointer(box)
            box.copyBytes(from: nonce)
            let sealed = UnsafeMutableRawBufferPointer(
                rebasing: box[SecretBox.nonceCount..<overhead + text.count]
            )
            nonce.withUnsafeBytes { nonce in
                text.withUnsafeBytes { SecretBox.seal($0, key: key, nonce: nonce, into: sealed) }
            }
            count = overhead + text.count
        }
        let body = box.withUnsafeBytes { Base64.encode($0, as: .standard) }
        let file = Array("# Encrypted rclone configuration File\n\n\(Self.marker)\n\(body)".utf8)
        guard file.count <= Self.maximumCount else {
            throw .configuration(.tooLong(found: file.count))
        }
        return file
    }

    /// What follows the line that says how the rest is encrypted; nil for plain text.
    private static func encryptedPart(
        of file: UnsafeRawBufferPointer
    ) throws(VolumeFormatError) -> UnsafeRawBufferPointer? {
        var start = 0
        while start < file.count {
            let end = file[start...].firstIndex(of: UInt8(ascii: "\n")) ?? file.count
            var line = file[start..<end]
            while let first = line.first, first <= 0x20 { line = line.dropFirst() }
            while let last = line.last, last <= 0x20 { line = line.dropLast() }
            start = min(end + 1, file.count)
            guard let first = line.first, first != UInt8(ascii: "#"), first != UInt8(ascii: ";")
            else { continue }
            if line.elementsEqual(marker.utf8) {
                return UnsafeRawBufferPointer(rebasing: file[start...])
            }
            if line.starts(with: anyMarker.utf8) { throw .configuration(.unknownEncryption) }
            return nil
        }
        return nil
    }
}
