internal import Cryptography
internal import KeyServer
internal import KeySources

/// Whether certificates can be used, now and in a month.
enum CertificateChecks {
    private static let soonDays = 30

    /// The dates of one certificate.
    static func dates(
        _ name: String,
        _ info: CertificateInfo,
        now: Timestamp,
        renewal: String
    ) -> Check {
        let days = (info.notAfter.seconds - now.seconds) / 86_400
        if now.seconds > info.notAfter.seconds {
            return .failure(name, "\(info.name) expired on \(info.notAfter.date)", fix: renewal)
        }
        if now.seconds < info.notBefore.seconds {
            return .failure(
                name,
                "\(info.name) is valid from \(info.notBefore.date) only",
                fix: "set the clock: it shows \(now.date)"
            )
        }
        if days < soonDays {
            return .warning(name, "\(info.name) expires in \(days) days", fix: renewal)
        }
        return .ok(name, "\(info.name), until \(info.notAfter.date)")
    }

    /// What a device shows and trusts.
    static func device(_ credentials: Credentials, now: Timestamp) -> [Check] {
        guard let certificate = credentials.certificate else {
            return [.skipped("certificate", "none given: MTLS_CERT, or --cert and --key")]
        }
        do throws(FetchError) {
            try ServerProbe.check(credentials)
        } catch {
            return [
                .failure("certificate", "\(error)", fix: "secure-store device add NAME --out DIR")
            ]
        }
        let renewal = "secure-store device add NAME --replace"
        var checks = [read("certificate", certificate, now: now, renewal: renewal)]
        if let authority = credentials.authority {
            checks.append(
                read("authority", authority, now: now, renewal: "secure-store ca init")
            )
        } else {
            checks.append(
                .warning(
                    "authority",
                    "none given: the certificate itself is what the server is known by",
                    fix: "MTLS_CA or --ca; with a shared certificate, a stolen device can pose as "
                        + "the server"
                )
            )
        }
        return checks
    }

    /// What a server has in its directory.
    static func server(_ state: StateDirectory, now: Timestamp) -> [Check] {
        let files = [
            ("authority", state.authorityCertificate, "secure-store ca init"),
            ("server", state.serverCertificate, "secure-store ca renew-server"),
        ]
        return files.map { name, path, renewal in
            do throws(KeyServerError) {
                return dates(
                    name,
                    try CertificateInfo(readingFile: path),
                    now: now,
                    renewal: renewal
                )
            } catch {
                return .failure(name, "\(error)", fix: renewal)
            }
        }
    }

    private static func read(
        _ name: String,
        _ pem: SecretBytes,
        now: Timestamp,
        renewal: String
    ) -> Check {
        do throws(KeyServerError) {
            return dates(
                name,
                try CertificateInfo(pem: pem, source: name),
                now: now,
                renewal: renewal
            )
        } catch {
            return .failure(name, "\(error)", fix: renewal)
        }
    }
}
