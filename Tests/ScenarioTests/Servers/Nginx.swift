import Foundation
import TestSupport

/// A key server that is not ours: nginx, which lets in only who has a certificate it knows and answers
/// what the original's server answered.
final class Nginx: Sendable {
    /// Where it listens, on every address of the host.
    let port: UInt16

    private let directory: TemporaryDirectory
    private let process: Subprocess

    /// Starts it.
    ///
    /// - Parameters:
    ///   - password: What it answers with.
    ///   - certificate: Its own certificate's path.
    ///   - key: The private key's path.
    ///   - clientAuthority: Which certificates it lets in: a path.
    ///   - port: Where to listen; a free one by default.
    /// - Throws: ``Docker/Failure`` with what nginx said.
    init(
        password: String,
        certificate: String,
        key: String,
        clientAuthority: String,
        port: UInt16? = nil
    ) throws {
        let port = try port ?? FreePort.any()
        directory = try TemporaryDirectory()
        try directory.write(
            """
            daemon off;
            pid \(directory("pid"));
            error_log stderr info;
            events {}
            http {
                access_log \(directory("access.log"));
                client_body_temp_path \(directory("body"));
                proxy_temp_path \(directory("proxy"));
                fastcgi_temp_path \(directory("fastcgi"));
                uwsgi_temp_path \(directory("uwsgi"));
                scgi_temp_path \(directory("scgi"));
                server {
                    listen \(port) ssl;
                    ssl_certificate \(certificate);
                    ssl_certificate_key \(key);
                    ssl_client_certificate \(clientAuthority);
                    ssl_verify_client on;
                    location = /key {
                        default_type application/json;
                        return 201 '{"password":"\(password)"}';
                    }
                    location / { return 404; }
                }
            }
            """,
            to: "nginx.conf"
        )
        process = try Subprocess.start(
            "nginx",
            ["-e", "stderr", "-p", directory.path, "-c", directory("nginx.conf")]
        )
        self.port = port
        let listens = FreePort.waitUntilTaken(port) { process.status == nil }
        guard listens else { throw Docker.Failure(description: process.errorText) }
    }

    deinit {
        process.signal(SIGTERM)
        _ = try? process.wait(timeout: 5)
    }

    /// Requests answered so far, one a line.
    var accessLog: String {
        String(decoding: (try? directory.read("access.log")) ?? [], as: UTF8.self)
    }
}
