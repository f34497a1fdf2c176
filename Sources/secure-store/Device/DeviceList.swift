internal import ArgumentParser
internal import KeyServer

/// `secure-store device list`.
struct DeviceList: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "Lists the devices that were given certificates."
    )

    @OptionGroup var state: StateOptions

    @Flag(help: "Print one JSON object.")
    var json = false

    func run() throws {
        let devices = try state.administration().listDevices()
        if json {
            try Output.json(["devices": devices.map(DeviceReport.init)])
            return
        }
        let width = devices.map(\.device.name.count).max() ?? 0
        for listing in devices {
            let report = DeviceReport(listing)
            let padding = String(repeating: " ", count: width - report.name.count)
            try Output.line("\(report.name)\(padding)  \(report.summary)")
        }
    }
}

/// `secure-store device show`.
struct DeviceShow: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Shows what is known of a device."
    )

    @OptionGroup var device: DeviceArgument
    @OptionGroup var state: StateOptions

    @Flag(help: "Print one JSON object.")
    var json = false

    func run() throws {
        let report = DeviceReport(try state.administration().showDevice(device.name))
        guard !json else {
            try Output.json(report)
            return
        }
        try Output.line("Device       \(report.name): \(report.status)")
        if let fleet = report.fleet { try Output.line("Fleet        \(fleet)") }
        if !report.tags.isEmpty {
            try Output.line("Tags         \(report.tags.joined(separator: " "))")
        }
        try Output.line("Added        \(report.added)")
        let seen = report.lastSeen.map { "\($0) from \(report.lastAddress ?? "unknown")" }
        try Output.line("Last key     \(seen ?? "never")")
        for certificate in report.certificates {
            try Output.line(
                "Certificate  \(certificate.fingerprint)\n             until \(certificate.notAfter)"
                    + (certificate.revoked.map {
                        $0 == "replaced" ? ", replaced" : ", refused from \($0)"
                    }
                        ?? "")
            )
        }
    }
}

/// What is printed of a device.
struct DeviceReport: Encodable {
    var name: String
    var status: String
    var fleet: String?
    var tags: [String]
    var added: String
    var revoked: String?
    var lastSeen: String?
    var lastAddress: String?
    var notAfter: String?
    var certificates: [Certificate]

    struct Certificate: Encodable {
        var fingerprint: String
        var notAfter: String
        var revoked: String?

        private enum CodingKeys: String, CodingKey {
            case fingerprint, revoked
            case notAfter = "not_after"
        }
    }

    /// Copies what is printed.
    init(_ listing: DeviceListing) {
        let device = listing.device
        name = device.name
        status = device.revokedAt == nil ? "active" : "revoked"
        fleet = device.fleet
        tags = device.tags
        added = "\(device.addedAt)"
        revoked = device.revokedAt.map { "\($0)" }
        lastSeen = device.seenAt.map { "\($0)" }
        lastAddress = device.seenFrom
        notAfter = listing.certificates.first?.notAfter.date
        certificates = listing.certificates.map { record in
            Certificate(
                fingerprint: record.fingerprint,
                notAfter: record.notAfter.date,
                revoked: record.revokedAt.map { $0 == .always ? "replaced" : "\($0)" }
            )
        }
    }

    /// The device in a line, without its name.
    var summary: String {
        let words = [
            status, notAfter.map { "until \($0)" }, lastSeen.map { "last key \($0)" },
            fleet.map { "fleet \($0)" }, tags.isEmpty ? nil : "tags \(tags.joined(separator: " "))",
        ]
        return words.compactMap { $0 }.joined(separator: ", ")
    }

    private enum CodingKeys: String, CodingKey {
        case name, status, fleet, tags, added, revoked, certificates
        case lastSeen = "last_seen"
        case lastAddress = "last_address"
        case notAfter = "not_after"
    }
}
