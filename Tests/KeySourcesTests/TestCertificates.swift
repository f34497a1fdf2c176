import Cryptography
import Foundation
import TestSupport

@testable import KeySources

/// Certificates and keys of every kind the tests need, made once with the `openssl` program.
final class TestCertificates: Sendable {
    /// Made at first use, for all tests.
    static let shared = Result { try TestCertificates() }

    let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
        try directory.write(Self.configuration, to: "ca.cnf")
        try directory.write("", to: "index.txt")
        try directory.write("unique_subject = no\n", to: "index.txt.attr")
        try directory.write("01\n", to: "serial")
        try authority("ca")
        try authority("stranger-ca")
        let here = "DNS:localhost,IP:127.0.0.1,IP:::1"
        try issue("server", names: here, usage: "serverAuth")
        try issue("expired", names: here, usage: "serverAuth", from: "20200101", to: "20200202")
        try issue("future", names: here, usage: "serverAuth", from: "20900101", to: "20910101")
        try issue("otherhost", names: "DNS:a.example,IP:192.0.2.1", usage: "serverAuth")
        try issue("commonname", names: nil, usage: "serverAuth", commonName: "localhost")
        try issue("stranger", names: here, usage: "serverAuth", authority: "stranger-ca")
        try issue("client", names: here, usage: "clientAuth", commonName: "device 7")
        try issue("outdated", names: nil, usage: "clientAuth", from: "20200101", to: "20200202")
        try original()
        try openssl([
            "pkey", "-in", directory("client.key"), "-aes256", "-passout", "pass:x", "-out",
            directory("locked.key"),
        ])
        let chain = try directory.read("client.pem") + directory.read("ca.pem")
        try directory.write(chain, to: "chain.pem")
    }

    /// A file's contents, such as `client.pem`.
    func pem(_ name: String) throws -> SecretBytes {
        SecretBytes(copying: try directory.read(name))
    }

    /// A certificate with its key, and what to trust.
    func credentials(_ name: String, authority: String? = "ca") throws -> Credentials {
        var credentials = Credentials()
        credentials.certificate = try pem("\(name).pem")
        credentials.privateKey = try pem("\(name).key")
        credentials.authority = try authority.map { try pem("\($0).pem") }
        return credentials
    }

    /// As the original program makes it: it is its own authority, and both server and client.
    private func original() throws {
        try openssl([
            "req", "-x509", "-newkey", "rsa:4096", "-nodes", "-sha256", "-set_serial", "0",
            "-days", "36500", "-subj", "/CN=localhost", "-config", directory("ca.cnf"),
            "-extensions", "original", "-keyout", directory("pkcs8.key"), "-out",
            directory("original.pem"),
        ])
        try openssl([
            "rsa", "-in", directory("pkcs8.key"), "-traditional", "-out",
            directory("original.key"),
        ])
    }

    private func authority(_ name: String) throws {
        try openssl([
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-days", "30", "-subj", "/CN=\(name)", "-config", directory("ca.cnf"), "-extensions",
            "authority", "-keyout", directory("\(name).key"), "-out", directory("\(name).pem"),
        ])
    }

    private func issue(
        _ name: String,
        names: String?,
        usage: String,
        authority: String = "ca",
        commonName: String? = nil,
        from: String? = nil,
        to: String? = nil
    ) throws {
        try openssl([
            "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
            "/CN=\(commonName ?? name)", "-config", directory("ca.cnf"), "-keyout",
            directory("\(name).key"), "-out", directory("\(name).csr"),
        ])
        let extensions = """
            basicConstraints = critical,CA:FALSE
            keyUsage = critical,digitalSignature
            extendedKeyUsage = \(usage)
            \(names.map { "subjectAltName = \($0)" } ?? "")
            """
        try directory.write(extensions, to: "extensions.cnf")
        let dates =
            (from.map { ["-startdate", "\($0)000000Z"] } ?? [])
            + (to.map { ["-enddate", "\($0)000000Z"] } ?? ["-days", "30"])
        try openssl(
            ["ca", "-batch", "-notext", "-config", directory("ca.cnf")]
                + [
                    "-keyfile", directory("\(authority).key"), "-cert",
                    directory("\(authority).pem"),
                ]
                + ["-extfile", directory("extensions.cnf"), "-in", directory("\(name).csr")]
                + ["-out", directory("\(name).pem")] + dates
        )
    }

    private func openssl(_ arguments: [String]) throws {
        let output = try Subprocess.run("openssl", arguments, directory: directory.path)
        guard output.status == 0 else {
            throw Failure(description: "openssl \(arguments): \(output.errorText)")
        }
    }

    private struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    private static let configuration = """
        [ca]
        default_ca = tests
        [tests]
        database = index.txt
        new_certs_dir = .
        serial = serial
        default_md = sha256
        policy = policy
        [policy]
        commonName = supplied
        [req]
        distinguished_name = name
        [name]
        [authority]
        basicConstraints = critical,CA:TRUE
        keyUsage = critical,keyCertSign
        [original]
        basicConstraints = critical,CA:FALSE
        keyUsage = critical,digitalSignature,keyAgreement,keyEncipherment,dataEncipherment
        extendedKeyUsage = serverAuth,clientAuth
        subjectAltName = DNS:localhost
        """
}
