/// How rclone writes its names into a Linux directory.
///
/// rclone's own form of a name shows what some storage cannot hold by a look-alike: `/` as `／`,
/// control characters as `␀` to `␟` and `␡`, a name that is nothing but full stops as `．` or
/// `．．`. A name that has one of those characters itself has `‛` before it. On a Linux directory
/// only the slash, NUL and the full stops are shown so: control characters stand for themselves.
///
/// Changes nothing in names of letters, digits, `-` and `_`.
///
/// Format: `docs/formats.md` §4.
enum LocalStorageNames {
    /// The directory entry for one of rclone's names.
    static func encode(_ name: [UInt8]) -> [UInt8] {
        isUntouched(name) ? name : show(read(name, as: .rclone), as: .directory)
    }

    /// One of rclone's names for a directory entry.
    static func decode(_ entry: [UInt8]) -> [UInt8] {
        isUntouched(entry) ? entry : show(read(entry, as: .directory), as: .rclone)
    }

    /// Whether a name has nothing that either form reserves: nearly every name, at a glance.
    private static func isUntouched(_ name: [UInt8]) -> Bool {
        name.allSatisfy { $0 >= 0x20 && $0 != 0x2f && $0 != 0x7f && $0 != 0xe2 && $0 != 0xef }
            && name != [0x2e] && name != [0x2e, 0x2e]
    }

    private enum Form {
        case rclone
        case directory

        func shows(_ control: UInt8) -> Bool { self == .rclone || control == 0 }
    }

    private enum Character {
        case quote
        case slash
        case control(UInt8)
        case other(UInt8)

        var bytes: [UInt8] {
            switch self {
            case .quote: [0xe2, 0x80, 0x9b]
            case .slash: [0xef, 0xbc, 0x8f]
            case .control(0x7f): [0xe2, 0x90, 0xa1]
            case .control(let code): [0xe2, 0x90, 0x80 + code]
            case .other(let byte): [byte]
            }
        }

        func isReserved(in form: Form) -> Bool {
            switch self {
            case .quote, .slash: true
            case .control(let code): form.shows(code)
            case .other: false
            }
        }
    }

    private static let dot: [UInt8] = [0xef, 0xbc, 0x8e]  // ．

    /// From look-alikes to what they show.
    private static func read(_ name: [UInt8], as form: Form) -> [UInt8] {
        let quote = Character.quote.bytes
        switch name {
        case dot: return [0x2e]
        case dot + dot: return [0x2e, 0x2e]
        case quote + dot: return dot
        case quote + dot + quote + dot: return dot + dot
        default: break
        }
        var result: [UInt8] = []
        var isQuoted = false
        for character in characters(of: name) {
            if isQuoted {
                // A quote before something that needs none is a character by itself.
                result += character.isReserved(in: form) ? character.bytes : quote + character.bytes
                isQuoted = false
                continue
            }
            switch character {
            case .quote: isQuoted = true
            case .slash: result.append(0x2f)
            case .control(let code) where form.shows(code): result.append(code)
            default: result += character.bytes
            }
        }
        return isQuoted ? result + quote : result
    }

    /// From characters to their look-alikes.
    private static func show(_ name: [UInt8], as form: Form) -> [UInt8] {
        let quote = Character.quote.bytes
        switch name {
        case [0x2e]: return dot
        case [0x2e, 0x2e]: return dot + dot
        case dot: return quote + dot
        case dot + dot: return quote + dot + quote + dot
        default: break
        }
        var result: [UInt8] = []
        for character in characters(of: name) {
            switch character {
            case .quote, .slash:
                result += quote + character.bytes
            case .control(let code):
                result += form.shows(code) ? quote + character.bytes : character.bytes
            case .other(0x2f):
                result += Character.slash.bytes
            case .other(let byte) where (byte < 0x20 || byte == 0x7f) && form.shows(byte):
                result += Character.control(byte).bytes
            case .other(let byte):
                result.append(byte)
            }
        }
        return result
    }

    /// UTF-8 synchronises itself: a wrong byte before one of these characters does not hide it.
    private static func characters(of name: [UInt8]) -> [Character] {
        var characters: [Character] = []
        var index = 0
        while index < name.count {
            if index + 2 < name.count,
                let character = character(name[index], name[index + 1], name[index + 2])
            {
                characters.append(character)
                index += 3
            } else {
                characters.append(.other(name[index]))
                index += 1
            }
        }
        return characters
    }

    private static func character(_ first: UInt8, _ second: UInt8, _ third: UInt8) -> Character? {
        switch (first, second, third) {
        case (0xe2, 0x80, 0x9b): .quote
        case (0xef, 0xbc, 0x8f): .slash
        case (0xe2, 0x90, 0x80...0x9f): .control(third - 0x80)
        case (0xe2, 0x90, 0xa1): .control(0x7f)
        default: nil
        }
    }
}
