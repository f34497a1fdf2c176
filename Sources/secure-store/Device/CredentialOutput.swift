internal import ArgumentParser
internal import Cryptography
internal import KeyServer

/// How a device's new credentials are handed to the operator.
struct CredentialOutput: ParsableArguments {
    @Option(help: ArgumentHelp("Write the files there.", valueName: "dir"))
    var out: String?

    @Flag(help: "Print MTLS_CERT, MTLS_KEY and MTLS_CA.")
    var base64 = false

    @Option(
        help: ArgumentHelp(
            "Print a shell script that sets those variables on a device of balena's.",
            valueName: "uuid"
        )
    )
    var balena: String?

    @Option(help: "How long the certificate is valid.")
    var days = 3650

    @Flag(help: "Print one JSON object.")
    var json = false

    func validate() throws {
        let ways = [out != nil, base64, balena != nil].filter { $0 }.count
        guard ways == 1 else {
            throw ValidationError("give one of --out DIR, --base64 and --balena UUID")
        }
        guard (1...7300).contains(days) else {
            throw ValidationError("--days must be 1 to 7300")
        }
        let isHexadecimal = balena?.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte)
        }
        guard isHexadecimal != false, balena != "" else {
            throw ValidationError("--balena takes a device's UUID: hexadecimal digits")
        }
    }

    /// Writes the files, where that was asked for; the rest is ``report(_:of:)``.
    func deliver(_ credentials: DeviceCredentials) throws(KeyServerError) {
        if let out { try credentials.write(to: out) }
    }

    /// Prints what was asked for.
    func report(_ credentials: DeviceCredentials, of name: DeviceName) throws {
        let info = try CertificateInfo(pem: credentials.certificate, source: name.text)
        if json {
            try Output.json(Report(name, info, out: out, credentials))
        } else if let out {
            try Output.line("Device \(name), until \(info.notAfter.date), is in \(out)")
        } else if let balena {
            try Output.bytes(credentials.balenaScript(device: balena))
        } else {
            try Output.bytes(credentials.environment())
        }
    }

    private struct Report: Encodable {
        var device: String
        var certificate: CertificateReport
        var directory: String?
        var variables: [String: String]?

        init(
            _ name: DeviceName,
            _ info: CertificateInfo,
            out: String?,
            _ credentials: DeviceCredentials
        ) {
            device = name.text
            certificate = CertificateReport(info)
            directory = out
            guard out == nil else { return }
            variables = [
                "MTLS_CERT": credentials.certificate, "MTLS_KEY": credentials.privateKey,
                "MTLS_CA": credentials.authority,
            ].mapValues { $0.withUnsafeBytes { Base64.encode($0, as: .standard) } }
        }
    }
}
