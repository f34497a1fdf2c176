import KeyServer
import Testing

@Suite struct `An address to listen on` {
    @Test(arguments: ["0.0.0.0:8443", "127.0.0.1:0", "[::]:8443", "[2001:db8::1]:65535"])
    func `is read and written alike`(text: String) throws {
        #expect(try ListenAddress(parsing: text).description == text)
    }

    @Test(arguments: [
        "", ":", "8443", ":8443", "0.0.0.0", "0.0.0.0:", "0.0.0.0:65536", "0.0.0.0:+1",
        "0.0.0.0:x", "localhost:8443", "::1:8443", "[127.0.0.1]:8443", "[]:1", "[::1]8443",
    ])
    func `is not guessed from anything else`(text: String) {
        #expect(throws: KeyServerError.self) { try ListenAddress(parsing: text) }
    }
}
