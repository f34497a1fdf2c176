import Testing

@testable import Cryptography

@Suite struct `Secret bytes` {
    @Test func `show their length and nothing else`() {
        let secret = SecretBytes(copying: Array("correct horse".utf8))
        #expect("\(secret)" == "<secret, 13 bytes>")
        #expect(String(reflecting: secret) == "<secret, 13 bytes>")
        var dumped = ""
        dump(secret, to: &dumped)
        #expect(!dumped.contains("correct"))
    }

    @Test func `compare by content`() {
        let one = SecretBytes(copying: [1, 2, 3])
        #expect(one.isEqual(to: SecretBytes(copying: [1, 2, 3])))
        #expect(!one.isEqual(to: SecretBytes(copying: [1, 2, 4])))
        #expect(!one.isEqual(to: SecretBytes(copying: [1, 2])))
    }

    @Test func `may be empty`() {
        let empty = SecretBytes(copying: [])
        #expect(empty.count == 0)
        #expect(SecretBytes.concatenating([empty, SecretBytes(copying: [7])]).count == 1)
    }
}
