import Cryptography
import TestSupport
import Testing

@testable import KeySources

@Suite(.requires(.tool("openssl")))
struct `Credentials that cannot work` {
    static let certificateName = "the client certificate (--cert or MTLS_CERT)"
    static let keyName = "the private key (--key or MTLS_KEY)"
    static let authorityName = "the CA certificate (--ca or MTLS_CA)"

    let certificates: TestCertificates

    init() throws { certificates = try TestCertificates.shared.get() }

    @Test(
        arguments: [
            (
                nil, nil, nil, nil,
                "no credentials for the key server: give --cert and --key "
                    + "(or MTLS_CERT and MTLS_KEY), or --token-file (or STORE_TOKEN)"
            ),
            ("client.pem", nil, nil, nil, "\(certificateName) is given without \(keyName)"),
            (nil, "client.key", nil, nil, "\(keyName) is given without \(certificateName)"),
            (
                nil, nil, nil, "t",
                "nothing to trust the key server by: with a token and no client "
                    + "certificate, give --ca or MTLS_CA"
            ),
            (
                "client.key", "client.key", "ca.pem", nil,
                "\(certificateName) holds no certificate: "
                    + "it should be PEM that begins with -----BEGIN CERTIFICATE-----"
            ),
            (
                "client.pem", "client.pem", "ca.pem", nil,
                "\(keyName) holds no private key: it should "
                    + "be PEM that begins with -----BEGIN PRIVATE KEY----- or "
                    + "-----BEGIN RSA PRIVATE KEY-----"
            ),
            (
                "client.pem", "client.key", "ca.cnf", nil,
                "\(authorityName) holds no certificate: "
                    + "it should be PEM that begins with -----BEGIN CERTIFICATE-----"
            ),
            (
                "client.pem", "server.key", "ca.pem", nil,
                "\(keyName) does not belong to "
                    + certificateName
            ),
            (
                "client.pem", "original.key", "ca.pem", nil,
                "\(keyName) does not belong to "
                    + certificateName
            ),
            (
                "client.pem", "locked.key", "ca.pem", nil,
                "\(keyName) is encrypted with a passphrase: "
                    + "decrypt it first (openssl pkey -in KEY -out PLAIN)"
            ),
            (
                "client.pem", "client.key", "ca.pem", "two words",
                "the token (--token-file or "
                    + "STORE_TOKEN) holds characters that a token cannot have: it is one line of ASCII "
                    + "without spaces"
            ),
            (
                "client.pem", "client.key", "ca.pem", "a\r\nX-Forged: b",
                "the token (--token-file or "
                    + "STORE_TOKEN) holds characters that a token cannot have: it is one line of ASCII "
                    + "without spaces"
            ),
        ] as [(String?, String?, String?, String?, String)]
    )
    func `are told apart before anything is sent`(
        certificate: String?,
        key: String?,
        authority: String?,
        token: String?,
        text: String
    ) throws {
        var credentials = Credentials()
        credentials.certificate = try certificate.map { try certificates.pem($0) }
        credentials.privateKey = try key.map { try certificates.pem($0) }
        credentials.authority = try authority.map { try certificates.pem($0) }
        credentials.token = token.map { secret($0) }
        #expect(throws: FetchError.misconfigured(message: text)) { try prepare(credentials) }
    }

    @Test func `a broken certificate is told from none`() throws {
        var credentials = try certificates.credentials("client")
        var bytes = try certificates.directory.read("client.pem")
        bytes[100] = bytes[100] == 0x41 ? 0x42 : 0x41
        bytes.removeSubrange(200..<204)
        credentials.certificate = SecretBytes(copying: bytes)
        let error = #expect(throws: FetchError.self) { try prepare(credentials) }
        let start = "\(Self.certificateName) holds a malformed certificate: "
        #expect(error?.description.hasPrefix(start) == true)
    }

    @Test func `nothing but credentials is an error at the start`() throws {
        try prepare(try certificates.credentials("client"))
        try prepare(try certificates.credentials("original", authority: nil))
        try prepare(try certificates.credentials("outdated"))
    }

    private func prepare(_ credentials: Credentials) throws(FetchError) {
        _ = try Fetcher(
            job: FetchJob(
                server: ServerAddress(host: "localhost", port: 1, path: ""),
                credentials: credentials,
                keyNames: ["default"],
                device: "d",
                bootID: "b",
                version: "1"
            )
        )
    }
}
