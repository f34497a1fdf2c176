import Cryptography
import KeyProtocol
import Testing

@testable import KeyServer

@Suite struct `A ring of keys` {
    private func ring(_ keys: [(String, [UInt8])]) throws -> KeyRing {
        var bundle = KeyBundle()
        for (name, text) in keys {
            try bundle.add(StoreKey(SecretBytes(copying: text)), named: name)
        }
        return try KeyRing(bundle)
    }

    private func text(_ secret: SecretBytes?) -> String? {
        secret?.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
    }

    @Test func `answers as the original did`() throws {
        let ring = try ring([("default", Array(#"pass "word\"#.utf8))])
        #expect(text(ring.originalAnswer) == #"{"password":"pass \"word\\"}"#)
    }

    @Test func `answers for one key and for several`() throws {
        let ring = try ring([("a", Array("1".utf8)), ("b", Array("2".utf8))])
        #expect(text(ring.unlockAnswer(for: ["b"])) == #"{"keys":{"b":"2"},"lease":0}"#)
        #expect(
            text(ring.unlockAnswer(for: ["b", "a"])) == #"{"keys":{"b":"2","a":"1"},"lease":0}"#
        )
        #expect(ring.unlockAnswer(for: ["a", "c"]) == nil)
        #expect(ring.unlockAnswer(for: ["c"]) == nil)
    }

    @Test func `has no answer to the original without a default key`() throws {
        #expect(try ring([("a", [65])]).originalAnswer == nil)
    }

    @Test func `refuses a key that JSON cannot carry, and says which`() {
        #expect {
            try ring([("default", [0x66, 0xff])])
        } throws: { error in
            "\(error)".contains("'default'") && "\(error)".contains("UTF-8")
        }
    }

    @Test func `is not empty`() {
        #expect(throws: KeyServerError.noKey) { try KeyRing(KeyBundle()) }
    }

    @Test func `tells generated keys by id and passwords by that word`() throws {
        var bundle = KeyBundle()
        let key = StoreKey.generate()
        try bundle.add(key, named: "generated")
        try bundle.add(StoreKey(SecretBytes(copying: [65])), named: "typed")
        let ring = try KeyRing(bundle)
        #expect(ring.id(of: "generated") == key.generated?.id)
        #expect(ring.id(of: "typed") == "password")
    }
}
