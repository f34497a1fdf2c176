/// How rclone writes its names into a Linux directory.
///
/// rclone's names may hold a slash or a NUL, or be a single full stop; on disk these stand as `／`,
/// `␀` and `．`, and a name that has one of those characters itself has it quoted with `‛`. The
/// names here never hold a slash or a NUL, so only the quoting is left.
///
/// Format: `docs/formats.md` §4.
enum LocalStorageNames {
    private static let quote: [UInt8] = [0xe2, 0x80, 0x9b]  // ‛
    private static let nul: [UInt8] = [0xe2, 0x90, 0x80]  // ␀
    private static let slash: [UInt8] = [0xef, 0xbc, 0x8f]  // ／
    private static let dot: [UInt8] = [0xef, 0xbc, 0x8e]  // ．

    /// The name of a directory entry for one of rclone's names.
    static func encode(_ name: [UInt8]) -> [UInt8] {
        if name == dot { return quote + dot }
        if name == dot + dot { return quote + dot + quote + dot }
        return mapCharacters(name) { character in
            [quote, nul, slash].contains { character.elementsEqual($0) }
                ? quote + character : Array(character)
        }
    }

    /// The other way.
    ///
    /// - Throws: ``NameFault/notPermitted`` for a name that holds a slash or a NUL in rclone's
    ///   eyes; ``NameFault/notCanonical`` for one that ``encode(_:)`` does not give.
    static func decode(_ entry: [UInt8]) throws(NameFault) -> [UInt8] {
        if entry == dot || entry == dot + dot { throw .notPermitted }
        if entry == quote + dot { return dot }
        if entry == quote + dot + quote + dot { return dot + dot }
        var isQuoted = false
        var isReserved = false
        let name = mapCharacters(entry) { character in
            if !isQuoted, character.elementsEqual(quote) {
                isQuoted = true
                return []
            }
            if !isQuoted, character.elementsEqual(nul) || character.elementsEqual(slash) {
                isReserved = true
            }
            isQuoted = false
            return Array(character)
        }
        guard !isReserved else { throw .notPermitted }
        guard encode(name) == entry else { throw .notCanonical }
        return name
    }

    /// Only three-byte characters are of interest; every other byte goes through by itself.
    ///
    /// UTF-8 synchronises itself, so a wrong byte before such a character does not hide it.
    private static func mapCharacters(
        _ name: [UInt8],
        _ transform: (ArraySlice<UInt8>) -> [UInt8]
    ) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(name.count)
        var index = 0
        while index < name.count {
            let isInteresting = name[index] == 0xe2 || name[index] == 0xef
            let end = isInteresting ? min(index + 3, name.count) : index + 1
            let character = name[index..<end]
            if [quote, nul, slash].contains(where: { character.elementsEqual($0) }) {
                result += transform(character)
                index = end
            } else {
                result += transform(name[index...index])
                index += 1
            }
        }
        return result
    }
}
