internal import Cryptography

extension GocryptfsNames {
    /// What the stored name of every attribute begins with.
    public static let attributePrefix: StaticString = "user.gocryptfs."

    /// Whether an attribute is stored as it is, name and value: the two POSIX ACLs are, for the kernel
    /// below has to understand them.
    public static func isStoredAsIs(attribute name: [UInt8]) -> Bool {
        name.elementsEqual("system.posix_acl_access".utf8)
            || name.elementsEqual("system.posix_acl_default".utf8)
    }

    /// Encrypts the name of an extended attribute that is not ``isStoredAsIs(attribute:)``.
    ///
    /// - Parameter name: 1...255 bytes but NUL, such as `user.comment`.
    /// - Returns: The stored name; the kernel takes 255 bytes of it.
    /// - Throws: ``VolumeFormatError/name(_:)``.
    public func encryptAttributeName(_ name: [UInt8]) throws(VolumeFormatError) -> [UInt8] {
        do throws(NameFault) {
            guard !name.isEmpty, !name.contains(0) else { throw .notPermitted }
            guard name.count <= Self.maximumEntryCount else { throw .tooLong(found: name.count) }
            let text = try lending(name) { name throws(NameFault) in
                try filling(Self.textCapacity) { text throws(NameFault) in
                    try cipher.encrypt(name, .attributeNames, into: text)
                }
            }
            return Self.attributePrefix.withUTF8Buffer { $0 + text }
        } catch {
            throw .name(error)
        }
    }

    /// Decrypts the stored name of an extended attribute.
    ///
    /// - Returns: Nil for a name without the prefix, which is none of the volume's.
    /// - Throws: ``VolumeFormatError/name(_:)``.
    public func decryptAttributeName(_ stored: [UInt8]) throws(VolumeFormatError) -> [UInt8]? {
        let prefix = Self.attributePrefix.withUTF8Buffer { Array($0) }
        guard stored.starts(with: prefix) else { return nil }
        do throws(NameFault) {
            let name = try lending(Array(stored.dropFirst(prefix.count))) {
                text throws(NameFault) in
                try filling(Self.maximumEntryCount) { name throws(NameFault) in
                    try cipher.decrypt(text, .attributeNames, into: name)
                }
            }
            guard !name.contains(0) else { throw .notPermitted }
            return name
        } catch {
            throw .name(error)
        }
    }

    /// Writes the sealed target of a symbolic link as a link's text.
    ///
    /// - Parameter sealed: Of ``GocryptfsContent/sealValue(_:)``.
    /// - Returns: base64url; the kernel takes 4095 bytes of it.
    public func encodeTarget(_ sealed: [UInt8]) -> [UInt8] {
        lending(sealed) { sealed in
            let count = Base64.encodedCount(sealed.count, as: cipher.encoding)
            return filling(count + 1) { text in
                Base64.encode(sealed, as: cipher.encoding, into: text)
            }
        }
    }

    /// Reads the text of a stored symbolic link.
    ///
    /// - Returns: What ``GocryptfsContent/openValue(_:)`` takes.
    /// - Throws: ``VolumeFormatError/name(_:)`` with ``NameFault/notEncoded``.
    public func decodeTarget(_ text: [UInt8]) throws(VolumeFormatError) -> [UInt8] {
        try lending(text) { text throws(VolumeFormatError) in
            try filling(text.count) { sealed throws(VolumeFormatError) in
                do throws(CryptographyError) {
                    return try Base64.decode(text, as: cipher.encoding, into: sealed)
                } catch {
                    throw .name(.notEncoded)
                }
            }
        }
    }
}
