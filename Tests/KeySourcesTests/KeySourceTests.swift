import KeyProtocol
import Linux
import Testing

@testable import KeySources

@Suite struct `Key source URIs` {
    @Test(
        arguments: [
            ("https://store", server("store")), ("HTTPS://Store.Local./", server("store.local")),
            ("https://store:443", server("store", 443)),
            ("https://store_1.lan:65535", server("store_1.lan", 65_535)),
            ("https://192.0.2.1", server("192.0.2.1")),
            ("https://[2001:DB8::1]:9", server("2001:db8::1", 9)), ("https://[::1]", server("::1")),
            (
                "https://xn--bcher-kva.example/a/b%20c/",
                server("xn--bcher-kva.example", 8443, "/a/b%20c")
            ),
            ("https://store/keys", server("store", 8443, "/keys")),
            ("file:/run/secrets/key", .file(path: "/run/secrets/key")),
            ("file:key", .file(path: "key")), ("file:///a b", .file(path: "/a b")),
            ("fd:0", .descriptor(0)), ("fd:17", .descriptor(17)),
            ("env:STORE_KEY", .environment(name: "STORE_KEY")),
        ] as [(String, KeySource)]
    )
    func `are read`(uri: String, expected: KeySource) throws {
        #expect(try KeySource(parsing: uri) == expected)
    }

    @Test(arguments: [
        ("", KeySourceError.noScheme), ("my-secret-password", .noScheme), (":x", .noScheme),
        ("/run/key", .noScheme), ("pass word:x", .noScheme), ("1a:x", .noScheme),
        ("ftp://h", .unknownScheme("ftp")), ("http://store", .plainHTTP), ("HTTP:x", .plainHTTP),
        ("clevis:/x", .notSupportedYet(scheme: "clevis")),
        ("fingerprint:/x", .notSupportedYet(scheme: "fingerprint")),
        ("exec:/x", .notSupportedYet(scheme: "exec")),
        ("vault+https://h", .notSupportedYet(scheme: "vault+https")),
        ("s3+https://h", .notSupportedYet(scheme: "s3+https")),
        ("https:store", .malformedAddress(.missingHost)),
        ("https://", .malformedAddress(.missingHost)),
        ("https://:8443", .malformedAddress(.missingHost)),
        ("https:///x", .malformedAddress(.missingHost)),
        ("https://a b", .malformedAddress(.invalidHost)),
        ("https://ünï.example", .malformedAddress(.invalidHost)),
        ("https://-a", .malformedAddress(.invalidHost)),
        ("https://a..b", .malformedAddress(.invalidHost)),
        ("https://1.2.3", .malformedAddress(.invalidHost)),
        ("https://1.2.3.256", .malformedAddress(.invalidHost)),
        ("https://\(String(repeating: "a", count: 64))", .malformedAddress(.invalidHost)),
        ("https://[::1", .malformedAddress(.invalidHost)),
        ("https://[::g]", .malformedAddress(.invalidHost)),
        ("https://[::1]x", .malformedAddress(.invalidHost)),
        ("https://[]", .malformedAddress(.invalidHost)),
        ("https://::1", .malformedAddress(.missingHost)),
        ("https://a:", .malformedAddress(.invalidPort)),
        ("https://a:0", .malformedAddress(.invalidPort)),
        ("https://a:65536", .malformedAddress(.invalidPort)),
        ("https://a:+1", .malformedAddress(.invalidPort)),
        ("https://a:1:2", .malformedAddress(.invalidPort)),
        ("https://user:pass@a", .malformedAddress(.userInformation)),
        ("https://a?x=1", .malformedAddress(.queryOrFragment)),
        ("https://a/b#c", .malformedAddress(.queryOrFragment)),
        ("https://a/b c", .malformedAddress(.invalidPath)),
        ("https://a/b\r\nX: y", .malformedAddress(.invalidPath)),
        ("https://a/\(String(repeating: "b", count: 256))", .malformedAddress(.invalidPath)),
        ("https://a/key", .malformedAddress(.endpointInPath)),
        ("https://a/x/v1/unlock/", .malformedAddress(.endpointInPath)),
        ("file:", .malformedPath), ("file://host/path", .malformedPath),
        ("file:a\u{0}b", .malformedPath), ("fd:", .malformedDescriptor),
        ("fd:-1", .malformedDescriptor), ("fd:x", .malformedDescriptor),
        ("fd:99999999", .malformedDescriptor), ("env:", .malformedVariableName),
        ("env:A=B", .malformedVariableName),
    ])
    func `are refused with a reason`(uri: String, expected: KeySourceError) {
        #expect(throws: expected) { try KeySource(parsing: uri) }
    }

    @Test func `a password in the place of a source is not repeated`() {
        for text in ["hunter2", "hunter2:", "http:hunter2", "https://x:hunter2@h", "fd:hunter2"] {
            let error = #expect(throws: KeySourceError.self) { try KeySource(parsing: text) }
            if text != "hunter2:" { #expect(error?.description.contains("hunter2") == false) }
        }
    }

    @Test(arguments: [
        (
            KeySourceError.noScheme,
            "a key source is https://HOST, file:PATH, fd:N or env:NAME; this is none of them"
        ),
        (
            .notSupportedYet(scheme: "clevis"),
            "key source clevis: is not supported yet: use https://HOST, file:PATH, fd:N or env:NAME"
        ),
        (
            .plainHTTP,
            "key source http:// is refused: a key crosses the network under TLS only; use https://"
        ),
        (
            .malformedAddress(.invalidPort),
            "key source https:// is malformed: its port is not a number from 1 to 65535"
        ),
        (
            .cannotOpen(path: "/k", Errno(rawValue: 2)),
            "key file /k cannot be opened: No such file or directory"
        ),
        (
            .notRegular(path: "/k", found: .pipe),
            "key file /k is a pipe, not a regular file: hand it over as fd:N"
        ),
        (.empty(.descriptor(3)), "descriptor 3 is empty: it should hold the key"),
        (
            .tooLong(.environment(name: "K")),
            "variable K holds more than 4096 bytes: that is no key"
        ),
        (
            .malformedKey(.file(path: "/k"), .controlCharacter),
            "key file /k holds no key: a key cannot hold a NUL byte or a line break"
        ),
    ])
    func `errors are sentences`(error: KeySourceError, text: String) {
        #expect(error.description == text)
    }
}

private func server(_ host: String, _ port: UInt16 = 8443, _ path: String = "") -> KeySource {
    .keyServer(ServerAddress(host: host, port: port, path: path))
}
