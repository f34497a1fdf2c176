import Cryptography
import Foundation
import KeyProtocol
import TestSupport
import Testing

@testable import KeySources

/// Servers nobody here wrote.
@Suite(.requires(.tool("nginx"), .tool("openssl"), .tool("python3")))
struct `Fetching from nginx` {
    let certificates: TestCertificates

    init() throws { certificates = try TestCertificates.shared.get() }

    @Test(arguments: ["localhost", "127.0.0.1", "::1"])
    func `the original's answer over mutual TLS`(host: String) throws {
        let isName = host == "localhost"
        let nginx = try Nginx(
            certificates,
            certificate: isName ? "original" : "server",
            authority: isName ? "original" : "ca"
        )
        let credentials =
            isName
            ? try certificates.credentials("original", authority: nil)
            : try certificates.credentials("client")
        let keys = try nginx.fetch(credentials, host: host)
        #expect(keys["default"]?.text.isEqual(to: secret("from nginx")) == true)
    }

    @Test func `a certificate it does not accept, and none, are told apart`() throws {
        let nginx = try Nginx(certificates, certificate: "server", authority: "stranger-ca")
        let refused = FetchError.retryable(
            cause: "localhost:\(nginx.port) refuses this device's certificate: "
                + "400 The SSL certificate error"
        )
        #expect(throws: refused) { try nginx.fetch(certificates.credentials("client")) }
        var credentials = Credentials()
        credentials.authority = try certificates.pem("ca.pem")
        credentials.token = secret("t")
        let wanted = FetchError.retryable(
            cause: "localhost:\(nginx.port) wants a client certificate and got none: "
                + "give --cert and --key"
        )
        #expect(throws: wanted) { try nginx.fetch(credentials) }
    }

    @Test func `its plain port is recognised`() throws {
        let nginx = try Nginx(certificates, certificate: nil, authority: "ca")
        let plain = FetchError.retryable(
            cause: "localhost:\(nginx.port) speaks plain HTTP, not TLS: is this the right port?"
        )
        #expect(throws: plain) { try nginx.fetch(certificates.credentials("client")) }
    }
}

/// A server of its own for one test, on every loopback address.
private final class Nginx {
    let port: UInt16
    private let directory: TemporaryDirectory
    private let process: Subprocess

    init(_ certificates: TestCertificates, certificate: String?, authority: String) throws {
        directory = try TemporaryDirectory()
        port = try FreePort.any()
        let tls = certificate.map {
            """
            ssl_certificate \(certificates.directory("\($0).pem"));
            ssl_certificate_key \(certificates.directory("\($0).key"));
            ssl_client_certificate \(certificates.directory("\(authority).pem"));
            ssl_verify_client on;
            """
        }
        let flag = certificate == nil ? "" : " ssl"
        let configuration = """
            daemon off;
            master_process off;
            pid \(directory("pid"));
            error_log stderr info;
            events {}
            http {
                access_log off;
                client_body_temp_path \(directory("body"));
                proxy_temp_path \(directory("proxy"));
                fastcgi_temp_path \(directory("fastcgi"));
                uwsgi_temp_path \(directory("uwsgi"));
                scgi_temp_path \(directory("scgi"));
                server {
                    listen 127.0.0.1:\(port)\(flag);
                    listen [::1]:\(port)\(flag);
                    \(tls ?? "")
                    location = /key { return 201 '{"password": "from nginx"}'; }
                }
            }
            """
        let path = try directory.write(configuration, to: "nginx.conf")
        process = try Subprocess.start("nginx", ["-c", path, "-p", directory.path, "-e", "stderr"])
        // Said once the listening sockets are open.
        try process.waitForOutput(containing: "epoll")
    }

    func fetch(
        _ credentials: Credentials,
        host: String = "localhost"
    ) throws(FetchError)
        -> KeyBundle
    {
        try Fetcher(
            job: FetchJob(
                server: ServerAddress(host: host, port: port, path: ""),
                credentials: credentials,
                keyNames: ["default"],
                device: "d",
                bootID: "b",
                version: "1"
            )
        ).attempt()
    }
}
