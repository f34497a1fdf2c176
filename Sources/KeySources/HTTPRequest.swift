internal import Cryptography
internal import KeyProtocol

/// The one request of a connection.
enum HTTPRequest {
    /// Head and body.
    ///
    /// - Parameters:
    ///   - endpoint: What to ask.
    ///   - job: Whom, with which token, and who asks.
    ///   - keyNames: The names of the keys to ask for.
    ///   - signingRequest: For a certificate, PEM.
    /// - Returns: HTTP/1.1, to be sent as it is; secret, since it may hold a token.
    static func text(
        _ endpoint: Endpoint,
        _ job: FetchJob,
        keyNames: [String],
        signingRequest: String? = nil
    ) -> SecretBytes {
        let body: SecretBytes? =
            switch endpoint {
            case .unlock: unlockBody(job, keyNames)
            case .key: nil
            case .enroll, .renew: certificateBody(endpoint, job, signingRequest ?? "")
            }
        return text(
            endpoint.method,
            endpoint.path,
            server: job.server,
            token: job.credentials.token,
            agent: "secure-init\(version(job.version))",
            body: body
        )
    }

    /// Head and body of any request.
    ///
    /// - Parameters:
    ///   - method: As `GET`.
    ///   - target: Path and query, percent-encoded; the server's own path goes before it.
    ///   - server: Whom it is for.
    ///   - token: What goes into `Authorization: Bearer`.
    ///   - agent: What goes into `User-Agent`.
    ///   - body: JSON.
    /// - Returns: HTTP/1.1, to be sent as it is.
    static func text(
        _ method: String,
        _ target: String,
        server: ServerAddress,
        token: SecretBytes?,
        agent: String,
        body: SecretBytes?
    ) -> SecretBytes {
        var parts = [
            text("\(method) \(server.path)\(target) HTTP/1.1\r\n"),
            text("Host: \(server.hostField)\r\n"),
            text("User-Agent: \(agent)\r\n"),
            text("Accept: application/json\r\nConnection: close\r\n"),
        ]
        if let token {
            parts += [text("Authorization: Bearer "), trimmed(token), text("\r\n")]
        }
        if let body {
            parts.append(
                text("Content-Type: application/json\r\nContent-Length: \(body.count)\r\n\r\n")
            )
            parts.append(body)
        } else {
            parts.append(text("\r\n"))
        }
        return SecretBytes.concatenating(parts)
    }

    /// Whether a token can stand in a header: visible ASCII, perhaps with a line break at its end.
    static func isToken(_ token: SecretBytes) -> Bool {
        let token = trimmed(token)
        return (1...4096).contains(token.count)
            && token.withUnsafeBytes { $0.allSatisfy { (0x21...0x7E).contains($0) } }
    }

    private static func unlockBody(_ job: FetchJob, _ keyNames: [String]) -> SecretBytes {
        UnlockRequest(
            device: cut(job.device, UnlockLimits.maximumDeviceCount),
            bootID: cut(job.bootID, UnlockLimits.maximumBootIDCount),
            keys: keyNames,
            version: cut(job.version, UnlockLimits.maximumVersionCount),
            identifiers: Array(job.identifiers.prefix(UnlockLimits.maximumKeys)),
            generations: job.generations
        ).encoded()
    }

    private static func certificateBody(
        _ endpoint: Endpoint,
        _ job: FetchJob,
        _ signingRequest: String
    ) -> SecretBytes {
        let request = CertificateRequest(
            token: endpoint == .enroll ? job.credentials.enrolmentToken : nil,
            request: signingRequest,
            version: cut(job.version, UnlockLimits.maximumVersionCount)
        )
        // A token that is no UTF-8 is none: what is left is refused in the server's own words.
        return (try? request.encoded()) ?? text("{}")
    }

    /// At most so many bytes, and whole characters.
    private static func cut(_ text: String, _ limit: Int) -> String {
        var end = text.startIndex
        var count = 0
        while end < text.endIndex {
            count += text[end].utf8.count
            guard count <= limit else { break }
            end = text.index(after: end)
        }
        return String(text[..<end])
    }

    /// `/1.2.3`, or nothing where it would not do in a header.
    private static func version(_ version: String) -> String {
        let isFit = version.utf8.allSatisfy {
            $0.isLetter || $0.isDigit || "-._+".utf8.contains($0)
        }
        return isFit && !version.isEmpty ? "/\(version)" : ""
    }

    private static func trimmed(_ token: SecretBytes) -> SecretBytes {
        let end = token.withUnsafeBytes { bytes in
            bytes.lastIndex { $0 != 0x0A && $0 != 0x0D }.map { $0 + 1 } ?? 0
        }
        return token.slice(0..<end)
    }

    private static func text(_ string: String) -> SecretBytes {
        SecretBytes(copying: string.utf8)
    }
}
