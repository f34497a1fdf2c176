internal import ArgumentParser
internal import Cryptography
internal import KeyServer

/// `secure-store device`.
struct DeviceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "device",
        abstract: "The devices that may ask for keys.",
        subcommands: [Add.self, List.self]
    )

    /// `secure-store device add`.
    struct Add: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "add",
            abstract: "Gives a device a certificate.",
            discussion: """
                Either --out writes cert.pem, key.pem, ca.pem and device.env, the three as \
                variables, into a directory; or --base64 prints those variables, to paste into a \
                dashboard. The private key is kept nowhere else.
                """
        )

        @Argument(help: "The device's name: lower-case letters, digits and hyphens.")
        var name: String

        @OptionGroup var state: StateOptions

        @Option(help: ArgumentHelp("Write the files there.", valueName: "dir"))
        var out: String?

        @Flag(help: "Print MTLS_CERT, MTLS_KEY and MTLS_CA.")
        var base64 = false

        @Option(help: "How long the certificate is valid.")
        var days = 3650

        @Flag(help: "Give a device that has a certificate another one; the old one stays valid.")
        var replace = false

        @Flag(help: "Print one JSON object.")
        var json = false

        func validate() throws {
            guard (out == nil) == base64 else {
                throw ValidationError("give either --out DIR or --base64")
            }
            guard (1...7300).contains(days) else {
                throw ValidationError("--days must be 1 to 7300")
            }
        }

        func run() throws {
            let name = try DeviceName(name)
            let credentials = try state.directory.addDevice(name, days: days, replacing: replace)
            if let out { try credentials.write(to: out) }
            let info = try CertificateInfo(pem: credentials.certificate, source: name.text)
            if json {
                try Output.json(Report(name, info, out: out, credentials))
            } else if let out {
                try Output.line("Device \(name), until \(info.notAfter.date), is in \(out)")
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

    /// `secure-store device list`.
    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list",
            abstract: "Lists the devices that were given certificates."
        )

        @OptionGroup var state: StateOptions

        @Flag(help: "Print one JSON object.")
        var json = false

        func run() throws {
            let devices = try state.directory.listDevices()
            if json {
                try Output.json(["devices": devices.map { CertificateReport($0.info) }])
                return
            }
            let width = devices.map(\.name.count).max() ?? 0
            for (name, info) in devices {
                let padding = String(repeating: " ", count: width - name.count)
                try Output.line("\(name)\(padding)  until \(info.notAfter.date)")
            }
        }
    }
}
