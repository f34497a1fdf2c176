internal import ArgumentParser
internal import KeyServer

/// `secure-store key list`.
struct KeyList: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "Lists the keys of a store: generations, when last given out, and to how many."
    )

    @OptionGroup var state: StateOptions

    @Flag(help: "Print one JSON object.")
    var json = false

    func run() throws {
        let keys = try state.administration().listKeys().map(KeyReport.init)
        guard !json else {
            try Output.json(["keys": keys])
            return
        }
        for key in keys { try key.print(withDevices: false) }
    }
}

/// `secure-store key show`.
struct KeyShow: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract:
            "Shows a key of the store, and which devices got which generation last, and when.",
        discussion: """
            A device stands under an older generation until it has come again and done without it: \
            a start after the one that needed it. Of each generation the first 1000 are listed.
            """
    )

    @Argument(help: "The key's name.")
    var name: String

    @OptionGroup var state: StateOptions

    @Flag(help: "Print one JSON object.")
    var json = false

    func run() throws {
        for key in try state.administration().listKeys(name).map(KeyReport.init) {
            try json ? Output.json(key) : key.print(withDevices: true)
        }
    }
}

/// What is known of a key, as it is printed.
private struct KeyReport: Encodable {
    let name: String
    let grants: [String]
    let generations: [Generation]

    struct Generation: Encodable {
        let number: Int
        let id: String
        let created: String
        let lastUsed: String?
        let retired: String?
        let devices: [Device]

        private enum CodingKeys: String, CodingKey {
            case number, id, created, retired, devices
            case lastUsed = "last_used"
        }
    }

    struct Device: Encodable {
        let name: String
        let since: String
    }

    func print(withDevices: Bool) throws {
        let granted = grants.isEmpty ? "nobody" : grants.joined(separator: ", ")
        try Output.line("\(name)  granted to \(granted)")
        for generation in generations {
            let limit = KeyListing.holderLimit
            let count = generation.devices.count
            let words = [
                "  \(generation.number)  \(generation.id)", "made \(generation.created)",
                generation.lastUsed.map { "last given out \($0)" } ?? "never given out",
                count == 0 ? nil : "used by \(count)\(count < limit ? "" : " or more")",
                generation.retired.map { "retired \($0)" },
            ]
            try Output.line(words.compactMap { $0 }.joined(separator: ", "))
            guard withDevices else { continue }
            for device in generation.devices {
                try Output.line("     \(device.name)  since \(device.since)")
            }
        }
    }

    init(_ listing: KeyListing) {
        name = listing.name
        grants = listing.grants.map(\.description)
        generations = listing.generations.map { record in
            Generation(
                number: record.number,
                id: record.identifier,
                created: "\(record.createdAt)",
                lastUsed: record.usedAt.map { "\($0)" },
                retired: record.retiredAt.map { "\($0)" },
                devices: (listing.holders[record.number] ?? []).map { holder in
                    Device(name: holder.device, since: "\(holder.since)")
                }
            )
        }
    }
}
