/// Walks over a JSON text once, checks all of it, and notes where its values are.
struct JSONScanner {
    private let bytes: UnsafeRawBufferPointer
    private var position = 0
    private var nodes: [JSONDocument.Node] = []

    /// Scans a text that outlives the scanner.
    init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
    }

    /// The nodes of the whole text, the outermost first.
    mutating func scan() throws(JSONError) -> [JSONDocument.Node] {
        skipSpace()
        try scanValue(depth: 0)
        skipSpace()
        guard position == bytes.count else { throw unexpected }
        return nodes
    }

    private var unexpected: JSONError { .notJSON(offset: position) }

    private var current: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func scanValue(depth: Int) throws(JSONError) {
        switch current {
        case UInt8(ascii: "{"): try scanContainer(.object, closing: "}", depth: depth)
        case UInt8(ascii: "["): try scanContainer(.array, closing: "]", depth: depth)
        case JSONString.quote: try scanString()
        case UInt8(ascii: "t"): try scanLiteral("true")
        case UInt8(ascii: "f"): try scanLiteral("false")
        case UInt8(ascii: "n"): try scanLiteral("null")
        default: try scanNumber()
        }
    }

    private mutating func scanContainer(
        _ kind: JSONDocument.Kind,
        closing: Unicode.Scalar,
        depth: Int
    ) throws(JSONError) {
        guard depth < JSONDocument.maximumDepth else { throw .tooDeep }
        let container = try append(kind, position..<position)
        var names: Set<[UInt8]> = []
        position += 1
        skipSpace()
        if !skip(closing) {
            repeat {
                skipSpace()
                if kind == .object { try scanName(&names) }
                try scanValue(depth: depth + 1)
                skipSpace()
            } while skip(",")
            guard skip(closing) else { throw unexpected }
        }
        nodes[container].end = nodes.count
    }

    /// A name and its colon; two names are the same if their texts are, escaped or not.
    private mutating func scanName(_ names: inout Set<[UInt8]>) throws(JSONError) {
        let start = position
        guard current == JSONString.quote else { throw unexpected }
        try scanString()
        var name: [UInt8] = []
        if let range = nodes.last?.range {
            JSONString.decode(UnsafeRawBufferPointer(rebasing: bytes[range])) { name.append($0) }
        }
        guard names.insert(name).inserted else { throw .duplicateMember(offset: start) }
        skipSpace()
        guard skip(":") else { throw unexpected }
        skipSpace()
    }

    private mutating func scanString() throws(JSONError) {
        position += 1
        let start = position
        while let byte = current, byte != JSONString.quote {
            guard let count = JSONString.unitCount(bytes[position...]) else { throw unexpected }
            position += count
        }
        guard current == JSONString.quote else { throw unexpected }
        try append(.string, start..<position)
        position += 1
    }

    private mutating func scanLiteral(_ word: StaticString) throws(JSONError) {
        let start = position
        let matches = word.withUTF8Buffer { bytes[start...].starts(with: $0) }
        guard matches else { throw unexpected }
        position += word.utf8CodeUnitCount
        try append(.literal, start..<position)
    }

    private mutating func scanNumber() throws(JSONError) {
        let start = position
        _ = skip("-")
        if !skip("0") { try scanDigits() }
        if skip(".") { try scanDigits() }
        if skip("e") || skip("E") {
            if !skip("+") { _ = skip("-") }
            try scanDigits()
        }
        try append(.number, start..<position)
    }

    private mutating func scanDigits() throws(JSONError) {
        let start = position
        while let byte = current, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) {
            position += 1
        }
        guard position > start else { throw unexpected }
    }

    private mutating func skipSpace() {
        while let byte = current, [0x20, 0x09, 0x0A, 0x0D].contains(byte) { position += 1 }
    }

    private mutating func skip(_ character: Unicode.Scalar) -> Bool {
        guard current == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    @discardableResult
    private mutating func append(
        _ kind: JSONDocument.Kind,
        _ range: Range<Int>
    ) throws(JSONError) -> Int {
        guard nodes.count < JSONDocument.maximumValues else { throw .tooManyValues }
        nodes.append(JSONDocument.Node(kind: kind, range: range, end: nodes.count + 1))
        return nodes.count - 1
    }
}
