internal import Cryptography

/// Names of one volume: what is stored in the directory for a name, and the reverse.
///
/// One path segment at a time. A stored name is accepted only if the same name would be stored so
/// again: no two entries of a directory mean the same file. Safe to use from several threads.
///
/// Format: `docs/formats.md` §4.
public final class RcloneNames: Sendable {
    /// Longest entry of a directory, in bytes.
    public static let maximumEntryCount = 255

    private let encryption: NameEncryption
    private let encoding: NameEncoding
    private let encryptsDirectories: Bool
    private let suffix: [UInt8]
    private let cipher: EME
    // Of no use without the key.
    private let tweak: [UInt8]
    private let obfuscation: NameObfuscation

    /// Sets the name cipher up.
    ///
    /// - Parameters:
    ///   - keys: The volume's.
    ///   - encryption: `filename_encryption`.
    ///   - encoding: `filename_encoding`; counts for ``NameEncryption/standard`` only.
    ///   - directoryNames: `directory_name_encryption`.
    ///   - suffix: What files end in under ``NameEncryption/off``; may be empty.
    /// - Throws: ``VolumeFormatError/cryptography(_:)``.
    public init(
        keys: RcloneKeys,
        encryption: NameEncryption,
        encoding: NameEncoding,
        directoryNames: Bool,
        suffix: String = ".bin"
    ) throws(VolumeFormatError) {
        self.encryption = encryption
        self.encoding = encoding
        encryptsDirectories = directoryNames && encryption != .off
        self.suffix = Array(suffix.utf8)
        cipher = try primitive { () throws(CryptographyError) in try EME(key: keys.nameKey) }
        tweak = keys.nameTweak.withUnsafeBytes { [UInt8]($0) }
        obfuscation = NameObfuscation(
            keySum: keys.nameKey.withUnsafeBytes { $0.reduce(0) { $0 + Int($1) } }
        )
    }

    /// The stored name of a file.
    ///
    /// - Parameter name: 1...255 bytes of any kind but NUL and slash.
    /// - Returns: The name of a directory entry, at most 255 bytes.
    /// - Throws: ``VolumeFormatError/name(_:)`` with ``NameFault/notPermitted``,
    ///   ``NameFault/tooLong(found:)``, or ``NameFault/notCanonical`` for a name that rclone's format
    ///   cannot keep: with control characters under ``NameEncryption/obfuscate`` or
    ///   ``NameEncryption/off``, or the time of a version and nothing but a suffix.
    public func encryptFileName(_ name: [UInt8]) throws(VolumeFormatError) -> [UInt8] {
        try storing(name) { name throws(NameFault) in
            let stored = try storedFileName(name)
            if isOneToOne(name) { return stored }
            guard try fileName(stored) == name else { throw .notCanonical }
            return stored
        }
    }

    /// The name of a file from its stored name.
    ///
    /// - Parameter entry: As in the directory.
    /// - Returns: The file's name, of any kind of bytes.
    /// - Throws: ``VolumeFormatError/name(_:)``.
    public func decryptFileName(_ entry: [UInt8]) throws(VolumeFormatError) -> [UInt8] {
        try finding(entry) { stored throws(NameFault) in
            let name = try fileName(stored)
            if isOneToOne(name) { return name }
            guard try storedFileName(name) == stored else { throw .notCanonical }
            return name
        }
    }

    /// The stored name of a directory.
    ///
    /// A version in it is nothing special: rclone keeps what is in such a directory under this
    /// name, though `rclone mkdir` makes another, empty one.
    ///
    /// - Parameter name: 1...255 bytes of any kind but NUL and slash.
    /// - Returns: The name of a directory entry, at most 255 bytes.
    /// - Throws: ``VolumeFormatError/name(_:)`` as ``encryptFileName(_:)``.
    public func encryptDirectoryName(_ name: [UInt8]) throws(VolumeFormatError) -> [UInt8] {
        try storing(name) { name throws(NameFault) in
            encryptsDirectories ? try encrypt(name) : name
        }
    }

    /// The name of a directory from its stored name.
    ///
    /// - Parameter entry: As in the directory that holds it.
    /// - Returns: The directory's name, of any kind of bytes.
    /// - Throws: ``VolumeFormatError/name(_:)``.
    public func decryptDirectoryName(_ entry: [UInt8]) throws(VolumeFormatError) -> [UInt8] {
        try finding(entry) { stored throws(NameFault) in
            guard encryptsDirectories else { return stored }
            let name = try decrypt(stored)
            if encryption == .standard { return name }
            guard try encrypt(name) == stored else { throw .notCanonical }
            return name
        }
    }

    /// The name cipher, its padding and its encodings have one result each, both ways.
    private func isOneToOne(_ name: [UInt8]) -> Bool {
        encryption == .standard && VersionedName(name) == nil
    }

    private func storedFileName(_ name: [UInt8]) throws(NameFault) -> [UInt8] {
        guard encryption != .off else { return name + suffix }
        guard let versioned = VersionedName(name) else { return try encrypt(name) }
        return VersionedName.adding(versioned.version, to: try encrypt(versioned.name))
    }

    private func fileName(_ stored: [UInt8]) throws(NameFault) -> [UInt8] {
        guard encryption != .off else { return try removingSuffix(stored) }
        guard let versioned = VersionedName(stored) else { return try decrypt(stored) }
        return VersionedName.adding(versioned.version, to: try decrypt(versioned.name))
    }

    private func encrypt(_ name: [UInt8]) throws(NameFault) -> [UInt8] {
        // A name that is nothing but a version.
        if name.isEmpty { return [] }
        guard encryption == .standard else { return obfuscation.obfuscate(name) }
        var message = NamePadding.pad(name)
        do throws(CryptographyError) {
            try cipher.encrypt(&message, tweak: tweak)
        } catch {
            throw .tooLong(found: message.count)
        }
        return encoding.encode(message)
    }

    private func decrypt(_ stored: [UInt8]) throws(NameFault) -> [UInt8] {
        if stored.isEmpty { return [] }
        guard encryption == .standard else { return try obfuscation.deobfuscate(stored) }
        var message = try encoding.decode(stored)
        let count = message.count
        do throws(CryptographyError) {
            try cipher.decrypt(&message, tweak: tweak)
        } catch {
            throw .notBlocks(found: count)
        }
        guard let name = NamePadding.unpad(message) else { throw .notPadded }
        return name
    }

    private func removingSuffix(_ stored: [UInt8]) throws(NameFault) -> [UInt8] {
        guard stored.count > suffix.count, stored.suffix(suffix.count).elementsEqual(suffix) else {
            throw .suffixMissing
        }
        return Array(stored.dropLast(suffix.count))
    }

    private func storing(
        _ name: [UInt8],
        _ transform: ([UInt8]) throws(NameFault) -> [UInt8]
    ) throws(VolumeFormatError) -> [UInt8] {
        do throws(NameFault) {
            try Self.check(name)
            guard name.count <= Self.maximumEntryCount else { throw .tooLong(found: name.count) }
            let stored = try transform(name)
            let entry = LocalStorageNames.encode(stored)
            guard LocalStorageNames.decode(entry) == stored else { throw .notCanonical }
            guard entry.count <= Self.maximumEntryCount else { throw .tooLong(found: entry.count) }
            try Self.check(entry)
            return entry
        } catch {
            throw .name(error)
        }
    }

    private func finding(
        _ entry: [UInt8],
        _ transform: ([UInt8]) throws(NameFault) -> [UInt8]
    ) throws(VolumeFormatError) -> [UInt8] {
        do throws(NameFault) {
            try Self.check(entry)
            let stored = LocalStorageNames.decode(entry)
            guard LocalStorageNames.encode(stored) == entry else { throw .notCanonical }
            let name = try transform(stored)
            try Self.check(name)
            return name
        } catch {
            throw .name(error)
        }
    }

    private static func check(_ name: [UInt8]) throws(NameFault) {
        guard !name.isEmpty, name != [0x2e], name != [0x2e, 0x2e], !name.contains(0x2f),
            !name.contains(0)
        else { throw .notPermitted }
    }
}
