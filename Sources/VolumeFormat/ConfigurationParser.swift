/// Reads rclone's dialect of INI, as the library it uses does.
///
/// Names and values are trimmed; `=` or `:` parts them; a value may stand between back quotes or
/// triple double quotes, an option's name between double quotes too. Lines beginning with `#` or
/// `;` are comments.
enum ConfigurationParser {
    private static let defaultSection = "DEFAULT"

    /// The remotes, in the order in which they first appear.
    ///
    /// - Parameter text: Decrypted.
    /// - Returns: Each with the places of its values in `text`.
    /// - Throws: ``ConfigurationFault/tooLong(found:)``, ``ConfigurationFault/line(number:)``.
    static func sections(
        of text: UnsafeRawBufferPointer
    ) throws(ConfigurationFault) -> [ConfigurationSection] {
        guard text.count <= RcloneConfiguration.maximumCount else {
            throw .tooLong(found: text.count)
        }
        var sections: [ConfigurationSection] = []
        var indexes: [String: Int] = [:]
        var current: String? = defaultSection
        func open(_ name: String) -> Int {
            if let index = indexes[name] { return index }
            sections.append(ConfigurationSection(name: name))
            indexes[name] = sections.count - 1
            return sections.count - 1
        }

        let byteOrderMark: [UInt8] = [0xef, 0xbb, 0xbf]
        var start = text.starts(with: byteOrderMark) ? byteOrderMark.count : 0
        var number = 0
        while start < text.count {
            number += 1
            let end = text[start...].firstIndex(of: UInt8(ascii: "\n")) ?? text.count
            let line = trimmed(start..<end, of: text)
            start = end + 1
            guard let first = line.first.map({ text[$0] }) else { continue }
            if first == UInt8(ascii: "#") || first == UInt8(ascii: ";") { continue }
            if first == UInt8(ascii: "["), text[line.upperBound - 1] == UInt8(ascii: "]") {
                guard line.count > 1 else { throw .line(number: number) }
                let name = string(
                    trimmed(line.lowerBound + 1..<line.upperBound - 1, of: text),
                    of: text
                )
                current = name.isEmpty ? nil : name
                if !name.isEmpty { _ = open(name) }
                continue
            }
            guard let section = current, let (option, value) = entry(line, of: text) else {
                throw .line(number: number)
            }
            if !option.isEmpty {
                let index = open(section)
                sections[index].set(option, to: value)
            }
        }
        return sections
    }

    private static func entry(
        _ line: Range<Int>,
        of text: UnsafeRawBufferPointer
    ) -> (option: String, value: Range<Int>)? {
        let optionQuote: [[UInt8]] = [Array("\"\"\"".utf8), Array("\"".utf8), Array("`".utf8)]
        var nameRange: Range<Int>
        var searchStart = line.lowerBound
        if let quote = optionQuote.first(where: { text[line].starts(with: $0) }) {
            let start = line.lowerBound + quote.count
            guard let end = firstOccurrence(of: quote, in: start..<line.upperBound, of: text) else {
                return nil
            }
            nameRange = start..<end
            searchStart = end
        } else {
            nameRange = line
        }
        guard
            let separator = text[searchStart..<line.upperBound].firstIndex(where: {
                $0 == UInt8(ascii: "=") || $0 == UInt8(ascii: ":")
            }), separator > line.lowerBound
        else { return nil }
        if searchStart == line.lowerBound {
            nameRange = trimmed(line.lowerBound..<separator, of: text)
        }
        let right = trimmed(separator + 1..<line.upperBound, of: text)
        guard let value = unquoted(right, of: text) else { return nil }
        return (string(nameRange, of: text), value)
    }

    private static func unquoted(
        _ value: Range<Int>,
        of text: UnsafeRawBufferPointer
    ) -> Range<Int>? {
        let quote: [UInt8]
        if value.count >= 2, text[value.lowerBound] == UInt8(ascii: "`") {
            quote = Array("`".utf8)
        } else if value.count >= 6, text[value].starts(with: "\"\"\"".utf8) {
            quote = Array("\"\"\"".utf8)
        } else {
            return value
        }
        let start = value.lowerBound + quote.count
        var end = value.upperBound - quote.count
        while end >= start {
            if text[end..<end + quote.count].elementsEqual(quote) { return start..<end }
            end -= 1
        }
        return nil
    }

    private static func firstOccurrence(
        of quote: [UInt8],
        in range: Range<Int>,
        of text: UnsafeRawBufferPointer
    ) -> Int? {
        guard range.count >= quote.count else { return nil }
        return (range.lowerBound...range.upperBound - quote.count).first {
            text[$0..<$0 + quote.count].elementsEqual(quote)
        }
    }

    private static func trimmed(
        _ range: Range<Int>,
        of text: UnsafeRawBufferPointer
    ) -> Range<Int> {
        var (start, end) = (range.lowerBound, range.upperBound)
        while start < end, isSpace(text[start]) { start += 1 }
        while end > start, isSpace(text[end - 1]) { end -= 1 }
        return start..<end
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || (0x09...0x0d).contains(byte)
    }

    private static func string(_ range: Range<Int>, of text: UnsafeRawBufferPointer) -> String {
        String(decoding: text[range], as: UTF8.self)
    }
}
