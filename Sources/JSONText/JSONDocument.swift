public import Cryptography

/// A JSON text (RFC 8259) that was checked as a whole and is decoded in the parts that are asked
/// for.
///
/// The text stays where it is, in secret memory; what is kept beside it is positions only. So no
/// string of it comes to lie in a `String` or an `Array` unless it is asked for as one, and a text
/// full of strings does not cost an allocation for each.
public struct JSONDocument {
    /// Longest text that is read, in bytes.
    public static let maximumCount = 65_536

    /// Deepest nesting of objects and arrays.
    public static let maximumDepth = 8

    /// Most values and member names.
    public static let maximumValues = 1024

    /// A value or a member's name; those within an object or array follow it directly.
    struct Node {
        let kind: Kind

        /// Where it stands; of a string, what is between the quotes.
        let range: Range<Int>

        /// The index of the first node after it and all within it.
        var end: Int
    }

    enum Kind {
        /// Names and values in turn.
        case object
        case array
        case string
        case number
        case literal
    }

    let text: SecretBytes
    let nodes: [Node]

    /// Checks a text.
    ///
    /// - Parameters:
    ///   - text: UTF-8; one value with white space around it.
    ///   - limit: The longest text that is read, in bytes.
    /// - Throws: ``JSONError``.
    public init(_ text: SecretBytes, limit: Int = maximumCount) throws(JSONError) {
        guard text.count <= limit else { throw .tooLong }
        self.text = text
        nodes = try text.withUnsafeBytes { bytes throws(JSONError) in
            var scanner = JSONScanner(bytes)
            return try scanner.scan()
        }
    }

    /// The outermost value as an object, or nil where it is something else.
    public var root: JSONObject? { JSONObject(document: self, index: 0) }

    /// A string's text, its escapes resolved.
    func secret(_ node: Node) -> SecretBytes {
        text.withUnsafeBytes { bytes in
            let raw = UnsafeRawBufferPointer(rebasing: bytes[node.range])
            guard raw.contains(JSONString.escape) else { return SecretBytes(copying: raw) }
            var buffer = SecretBuffer(capacity: raw.count)
            JSONString.decode(raw) { byte in
                withUnsafeBytes(of: byte) { _ = buffer.append($0) }
            }
            return buffer.copy()
        }
    }

    /// The text of a string that is no secret, escapes resolved: in ordinary memory, since every
    /// piece of secret memory costs a dozen system calls.
    func publicText(_ node: Node) -> String {
        text.withUnsafeBytes { bytes in
            let raw = UnsafeRawBufferPointer(rebasing: bytes[node.range])
            guard raw.contains(JSONString.escape) else {
                return String(decoding: raw, as: UTF8.self)
            }
            var decoded: [UInt8] = []
            JSONString.decode(raw) { decoded.append($0) }
            return String(decoding: decoded, as: UTF8.self)
        }
    }
}

/// An object of a document.
public struct JSONObject {
    private let document: JSONDocument
    private let index: Int

    init?(document: JSONDocument, index: Int) {
        guard document.nodes.indices.contains(index), document.nodes[index].kind == .object else {
            return nil
        }
        self.document = document
        self.index = index
    }

    /// The names of all members, in order.
    public var names: [String] {
        var names: [String] = []
        var next = index + 1
        while next < document.nodes[index].end {
            names.append(document.publicText(document.nodes[next]))
            next = document.nodes[document.nodes[next].end].end
        }
        return names
    }

    /// Whether a member is there, whatever it is.
    public func has(_ name: String) -> Bool { value(name) != nil }

    /// A member that is a string.
    ///
    /// - Returns: Nil where it is missing.
    /// - Throws: ``JSONError/invalid(member:)`` where it is something else.
    public func secret(_ name: String) throws(JSONError) -> SecretBytes? {
        guard let index = value(name) else { return nil }
        guard document.nodes[index].kind == .string else { throw .invalid(member: name) }
        return document.secret(document.nodes[index])
    }

    /// A member that is a string and no secret.
    ///
    /// - Parameters:
    ///   - name: The member's name.
    ///   - limit: Its longest text in bytes of UTF-8.
    /// - Returns: Nil where it is missing.
    /// - Throws: ``JSONError/invalid(member:)`` where it is something else or longer.
    public func text(_ name: String, limit: Int) throws(JSONError) -> String? {
        guard let index = value(name) else { return nil }
        return try text(document.nodes[index], of: name, limit: limit)
    }

    /// A member that is an integer without fraction or exponent.
    ///
    /// - Returns: Nil where it is missing.
    /// - Throws: ``JSONError/invalid(member:)`` where it is something else or beyond `Int`.
    public func integer(_ name: String) throws(JSONError) -> Int? {
        guard let index = value(name) else { return nil }
        let node = document.nodes[index]
        guard node.kind == .number else { throw .invalid(member: name) }
        let number = document.text.withUnsafeBytes {
            Int(String(decoding: $0[node.range], as: UTF8.self))
        }
        guard let number else { throw .invalid(member: name) }
        return number
    }

    /// A member that is an object.
    ///
    /// - Returns: Nil where it is missing.
    /// - Throws: ``JSONError/invalid(member:)`` where it is something else.
    public func object(_ name: String) throws(JSONError) -> JSONObject? {
        guard let index = value(name) else { return nil }
        guard let object = JSONObject(document: document, index: index) else {
            throw .invalid(member: name)
        }
        return object
    }

    /// A member that is an array of strings that are no secrets.
    ///
    /// - Parameters:
    ///   - name: The member's name.
    ///   - maximum: The most elements it has.
    ///   - limit: An element's longest text in bytes of UTF-8.
    /// - Returns: Nil where it is missing.
    /// - Throws: ``JSONError/invalid(member:)`` where it is something else or longer.
    public func texts(_ name: String, maximum: Int, limit: Int) throws(JSONError) -> [String]? {
        guard let index = value(name) else { return nil }
        guard document.nodes[index].kind == .array else { throw .invalid(member: name) }
        var texts: [String] = []
        var next = index + 1
        while next < document.nodes[index].end {
            let node = document.nodes[next]
            guard texts.count < maximum else { throw .invalid(member: name) }
            texts.append(try text(node, of: name, limit: limit))
            next = node.end
        }
        return texts
    }

    /// A member that is an array of strings.
    ///
    /// - Returns: Nil where it is missing.
    /// - Throws: ``JSONError/invalid(member:)`` where it is something else.
    public func secrets(_ name: String) throws(JSONError) -> [SecretBytes]? {
        guard let index = value(name) else { return nil }
        guard document.nodes[index].kind == .array else { throw .invalid(member: name) }
        var secrets: [SecretBytes] = []
        var next = index + 1
        while next < document.nodes[index].end {
            let node = document.nodes[next]
            guard node.kind == .string else { throw .invalid(member: name) }
            secrets.append(document.secret(node))
            next = node.end
        }
        return secrets
    }

    /// A member that is an array of objects.
    ///
    /// - Returns: Nil where it is missing.
    /// - Throws: ``JSONError/invalid(member:)`` where it is something else.
    public func objects(_ name: String) throws(JSONError) -> [JSONObject]? {
        guard let index = value(name) else { return nil }
        guard document.nodes[index].kind == .array else { throw .invalid(member: name) }
        var objects: [JSONObject] = []
        var next = index + 1
        while next < document.nodes[index].end {
            guard let object = JSONObject(document: document, index: next) else {
                throw .invalid(member: name)
            }
            objects.append(object)
            next = document.nodes[next].end
        }
        return objects
    }

    /// The text of a string that is no secret and must not be longer than `limit`.
    private func text(
        _ node: JSONDocument.Node,
        of name: String,
        limit: Int
    ) throws(JSONError) -> String {
        // An escape takes six bytes for at most three of text.
        guard node.kind == .string, node.range.count <= limit * 6 else {
            throw .invalid(member: name)
        }
        let text = document.publicText(node)
        guard text.utf8.count <= limit else { throw .invalid(member: name) }
        return text
    }

    /// The index of a member's value.
    private func value(_ name: String) -> Int? {
        var next = index + 1
        while next < document.nodes[index].end {
            let value = document.nodes[next].end
            if document.publicText(document.nodes[next]) == name { return value }
            next = document.nodes[value].end
        }
        return nil
    }
}
