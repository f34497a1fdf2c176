public import Cryptography

/// Keys by name, as a source delivers them.
///
/// On the fetcher's pipe, all numbers big-endian:
///
///     "SSKB" ‖ version (1 byte: 1) ‖ number of keys (2) ‖
///     for each: length of name (1) ‖ name ‖ length of key (2) ‖ key
///
/// A name of length 0: an older generation of the key before it.
public struct KeyBundle: Sendable {
    /// The name of a key whose source has no names.
    public static let defaultName = "default"

    /// Longest encoding in bytes.
    public static let maximumEncodedCount = 65_536

    private static let magic = Array("SSKB\u{1}".utf8)

    private struct Entry {
        let name: String
        let key: StoreKey

        /// The latest first.
        var older: [StoreKey] = []

        var generations: [StoreKey] { [key] + older }
    }

    private var entries: [Entry] = []

    /// Creates a bundle without keys.
    public init() {}

    /// Whether a key can have this name: 1 to 128 letters, digits, `.`, `_` or `-`.
    public static func isName(_ text: String) -> Bool {
        (1...128).contains(text.utf8.count) && text.utf8.allSatisfy(isNameCharacter)
    }

    /// The names, in the order the keys were added.
    public var names: [String] { entries.map(\.name) }

    /// The key of that name, if there is one.
    public subscript(name: String) -> StoreKey? {
        entries.first { $0.name == name }?.key
    }

    /// The generated key of that id, if there is one.
    public func generatedKey(id: String) -> GeneratedKey? {
        for key in entries.flatMap(\.generations) {
            if let generated = key.generated, generated.id == id { return generated }
        }
        return nil
    }

    /// The older generations of a key that have come with it, the latest first.
    public func olderGenerations(of name: String) -> [StoreKey] {
        entries.first { $0.name == name }?.older ?? []
    }

    /// The ids of the generated keys, in the order the keys were added.
    public var generatedKeyIDs: [String] {
        entries.flatMap(\.generations).compactMap { $0.generated?.id }
    }

    /// Adds a key.
    ///
    /// - Parameters:
    ///   - key: Any key.
    ///   - name: 1 to 128 letters, digits, `.`, `_` or `-`, not in the bundle yet.
    /// - Throws: ``KeyFormatError``.
    public mutating func add(_ key: StoreKey, named name: String) throws(KeyFormatError) {
        guard Self.isName(name) else {
            throw .invalidName
        }
        guard self[name] == nil else { throw .duplicateName(name) }
        entries.append(Entry(name: name, key: key))
    }

    /// Adds an older generation of the key that was added last.
    ///
    /// - Parameter key: Older than those added before.
    /// - Throws: ``KeyFormatError/malformedBundle`` where there is no key yet.
    public mutating func addOlderGeneration(_ key: StoreKey) throws(KeyFormatError) {
        guard !entries.isEmpty else { throw .malformedBundle }
        entries[entries.count - 1].older.append(key)
    }

    /// The bundle as it crosses a pipe.
    public func encoded() -> SecretBytes {
        let count = entries.reduce(0) { $0 + $1.generations.count }
        var parts = [SecretBytes(copying: Self.magic), bigEndian(count)]
        for entry in entries {
            for (index, key) in entry.generations.enumerated() {
                let name = index == 0 ? entry.name : ""
                parts.append(SecretBytes(copying: [UInt8(name.utf8.count)]))
                parts.append(SecretBytes(copying: name.utf8))
                parts.append(bigEndian(key.text.count))
                parts.append(key.text)
            }
        }
        return SecretBytes.concatenating(parts)
    }

    /// Reads what ``encoded()`` wrote, and nothing else.
    ///
    /// - Parameter bytes: The whole encoding, at most ``maximumEncodedCount`` bytes.
    /// - Throws: ``KeyFormatError``.
    public init(decoding bytes: UnsafeRawBufferPointer) throws(KeyFormatError) {
        guard bytes.count <= Self.maximumEncodedCount, bytes.starts(with: Self.magic) else {
            throw .malformedBundle
        }
        var rest = bytes[Self.magic.count...]
        let count = try takeLength(2, from: &rest)
        for _ in 0..<count {
            let name = try take(try takeLength(1, from: &rest), from: &rest)
            let text = try take(try takeLength(2, from: &rest), from: &rest)
            let key = try StoreKey(SecretBytes(copying: UnsafeRawBufferPointer(rebasing: text)))
            if name.isEmpty {
                try addOlderGeneration(key)
            } else {
                try add(key, named: String(decoding: name, as: UTF8.self))
            }
        }
        guard rest.isEmpty else { throw .malformedBundle }
    }
}

private func isNameCharacter(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"),
        UInt8(ascii: "-"):
        true
    default:
        false
    }
}

private func bigEndian(_ number: Int) -> SecretBytes {
    SecretBytes(copying: [
        UInt8(truncatingIfNeeded: number >> 8), UInt8(truncatingIfNeeded: number),
    ])
}

private func take(
    _ count: Int,
    from rest: inout Slice<UnsafeRawBufferPointer>
) throws(KeyFormatError) -> Slice<UnsafeRawBufferPointer> {
    guard rest.count >= count else { throw .malformedBundle }
    defer { rest = rest.dropFirst(count) }
    return rest.prefix(count)
}

private func takeLength(
    _ count: Int,
    from rest: inout Slice<UnsafeRawBufferPointer>
) throws(KeyFormatError) -> Int {
    try take(count, from: &rest).reduce(0) { $0 << 8 | Int($1) }
}
