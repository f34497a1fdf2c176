import Cryptography
import Testing

@testable import JSONText

@Suite struct `JSON texts` {
    @Test(arguments: [
        "{}", "[]", "null", "true", "false", "0", "-0", "10.5e+3", "1E-2", "\"\"", " \t\r\n{} \n",
        #"{"a":[1,{"b":null}],"c":"d"}"#, #"["\"\\\/\b\f\n\r\t\u0041\ud83d\uDE00"]"#, "[\"é€😀\"]",
        "[[[[[[[[]]]]]]]]", #"{"a":1,"b":1,"A":1,"":1}"#, #"[{"a":1},{"a":1}]"#,
    ])
    func `what RFC 8259 allows is read`(text: String) throws {
        _ = try JSONDocument(secret(text))
    }

    @Test(arguments: [
        ("", JSONError.notJSON(offset: 0)), (" ", .notJSON(offset: 1)), ("{", .notJSON(offset: 1)),
        ("}", .notJSON(offset: 0)), ("{}x", .notJSON(offset: 2)), ("{} {}", .notJSON(offset: 3)),
        ("[1,]", .notJSON(offset: 3)), ("[,1]", .notJSON(offset: 1)),
        ("[1 2]", .notJSON(offset: 3)),
        (#"{"a"}"#, .notJSON(offset: 4)), (#"{"a":}"#, .notJSON(offset: 5)),
        (#"{"a":1,}"#, .notJSON(offset: 7)), ("{a:1}", .notJSON(offset: 1)),
        ("{1:1}", .notJSON(offset: 1)), ("'a'", .notJSON(offset: 0)), ("01", .notJSON(offset: 1)),
        ("-", .notJSON(offset: 1)), ("+1", .notJSON(offset: 0)), (".5", .notJSON(offset: 0)),
        ("1.", .notJSON(offset: 2)), ("1e", .notJSON(offset: 2)), ("1e+-1", .notJSON(offset: 3)),
        ("NaN", .notJSON(offset: 0)), ("tru", .notJSON(offset: 0)), ("nul", .notJSON(offset: 0)),
        ("\"", .notJSON(offset: 1)), ("\"a", .notJSON(offset: 2)), ("\"\\\"", .notJSON(offset: 3)),
        ("\"\n\"", .notJSON(offset: 1)), ("\"\u{0}\"", .notJSON(offset: 1)),
        (#""\x41""#, .notJSON(offset: 1)), (#""\u12""#, .notJSON(offset: 1)),
        (#""\u12g4""#, .notJSON(offset: 1)), (#""\ud800""#, .notJSON(offset: 1)),
        (#""\udc00""#, .notJSON(offset: 1)), (#""\ud800\u0041""#, .notJSON(offset: 1)),
        (#""\ud800\ud800""#, .notJSON(offset: 1)), (#""\"#, .notJSON(offset: 1)),
        ("[[[[[[[[[]]]]]]]]]", .tooDeep), (#"{"a":1,"a":2}"#, .duplicateMember(offset: 7)),
        (#"{"a":1,"\u0061":2}"#, .duplicateMember(offset: 7)), ("\u{FEFF}{}", .notJSON(offset: 0)),
        ("<html>", .notJSON(offset: 0)), ("// c\n{}", .notJSON(offset: 0)),
    ])
    func `what it does not allow is refused where it begins`(text: String, expected: JSONError) {
        #expect(throws: expected) { try JSONDocument(secret(text)) }
    }

    @Test(
        arguments: [
            [0x80], [0xC0, 0x80], [0xC1, 0xBF], [0xC3], [0xC3, 0x28], [0xE0, 0x80, 0x80],
            [0xE0, 0x9F, 0xBF], [0xED, 0xA0, 0x80], [0xED, 0xBF, 0xBF], [0xE2, 0x82],
            [0xF0, 0x80, 0x80, 0x80], [0xF0, 0x8F, 0xBF, 0xBF], [0xF4, 0x90, 0x80, 0x80],
            [0xF5, 0x80, 0x80, 0x80], [0xF0, 0x9F, 0x98], [0xFE], [0xFF],
        ] as [[UInt8]]
    )
    func `what is not UTF-8 is refused`(bytes: [UInt8]) {
        let text = [UInt8(ascii: "\"")] + bytes + [UInt8(ascii: "\"")]
        #expect(throws: JSONError.notJSON(offset: 1)) {
            try JSONDocument(SecretBytes(copying: text))
        }
    }

    @Test(arguments: [
        (#""""#, ""), (#""a\"b\\c\/d""#, "a\"b\\c/d"), (#""\b\f\n\r\t""#, "\u{8}\u{C}\n\r\t"),
        (#""\u0000\u007f\u0080\u07ff\u0800\uffff""#, "\u{0}\u{7F}\u{80}\u{7FF}\u{800}\u{FFFF}"),
        (#""\ud800\udc00\uDBFF\uDFFF\ud83d\ude00!""#, "\u{10000}\u{10FFFF}😀!"),
        ("\"é€😀\"", "é€😀"), (#""\u0026\u003c""#, "&<"),
    ])
    func `strings come out decoded`(json: String, expected: String) throws {
        let object = try #require(try JSONDocument(secret("{\"s\":\(json)}")).root)
        #expect(try object.secret("s")?.isEqual(to: secret(expected)) == true)
        #expect(try object.text("s", limit: 100) == expected)
    }

    @Test func `members are found by name and type`() throws {
        let json =
            #"{"n":-12,"f":1.0,"big":99999999999999999999,"o":{"i":1},"a":["x","y"],"z":null}"#
        let object = try #require(try JSONDocument(secret(json)).root)
        #expect(try object.integer("n") == -12)
        #expect(try object.object("o")?.integer("i") == 1)
        #expect(try object.texts("a", maximum: 2, limit: 1) == ["x", "y"])
        #expect(try object.integer("i") == nil)
        #expect(object.has("z"))
        #expect(throws: JSONError.invalid(member: "f")) { try object.integer("f") }
        #expect(throws: JSONError.invalid(member: "big")) { try object.integer("big") }
        #expect(throws: JSONError.invalid(member: "n")) { try object.secret("n") }
        #expect(throws: JSONError.invalid(member: "z")) { try object.secret("z") }
        #expect(throws: JSONError.invalid(member: "a")) { try object.object("a") }
        #expect(throws: JSONError.invalid(member: "a")) {
            try object.texts("a", maximum: 1, limit: 1)
        }
        #expect(throws: JSONError.invalid(member: "a")) {
            try object.texts("a", maximum: 2, limit: 0)
        }
    }

    @Test func `an array of objects gives each, and nothing but objects`() throws {
        let json = #"{"d":[{"id":1,"l":{"__id":7}},{"id":2}],"e":[],"m":[{},3]}"#
        let object = try #require(try JSONDocument(secret(json)).root)
        let entries = try #require(try object.objects("d"))
        #expect(try entries.map { try $0.integer("id") } == [1, 2])
        #expect(try entries[0].object("l")?.integer("__id") == 7)
        #expect(try object.objects("e")?.isEmpty == true)
        #expect(try object.objects("none").map(\.count) == nil)
        #expect(throws: JSONError.invalid(member: "m")) { try object.objects("m") }
    }

    @Test func `a longer text can be asked for`() throws {
        let count = JSONDocument.maximumCount
        let text = secret("\"" + String(repeating: "a", count: count) + "\"")
        _ = try JSONDocument(text, limit: count + 2)
        #expect(throws: JSONError.tooLong) { try JSONDocument(text, limit: count + 1) }
    }

    @Test func `sizes are limited`() throws {
        let limit = JSONDocument.maximumCount
        _ = try JSONDocument(secret("\"" + String(repeating: "a", count: limit - 2) + "\""))
        #expect(throws: JSONError.tooLong) {
            try JSONDocument(secret("\"" + String(repeating: "a", count: limit - 1) + "\""))
        }
        let values = JSONDocument.maximumValues - 1
        _ = try JSONDocument(secret("[" + String(repeating: "1,", count: values - 1) + "1]"))
        #expect(throws: JSONError.tooManyValues) {
            try JSONDocument(secret("[" + String(repeating: "1,", count: values) + "1]"))
        }
    }

    @Test func `a string is written so that it reads back`() throws {
        for text in ["", "a\"b\\c", "\u{0}\u{1F}\u{7F}\n", "é€😀", "</script>"] {
            var json = JSONWriter()
            json.append("{\"s\":")
            try json.append(quoting: secret(text))
            json.append("}")
            let object = try #require(try JSONDocument(json.text).root)
            #expect(try object.text("s", limit: 100) == text)
        }
        var json = JSONWriter()
        #expect(throws: JSONError.notUTF8) {
            try json.append(quoting: SecretBytes(copying: [0x61, 0xFF]))
        }
    }
}

private func secret(_ text: String) -> SecretBytes { SecretBytes(copying: text.utf8) }
