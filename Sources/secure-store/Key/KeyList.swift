internal import ArgumentParser
internal import KeyServer

/// `secure-store key list`.
struct KeyList: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "Lists the keys of a store: generations, when last given out, and to whom."
    )

    @OptionGroup var state: StateOptions

    @Flag(help: "Print one JSON object.")
    var json = false

    func run() throws {
        let keys = try state.administration().listKeys().map(Report.init)
        guard !json else {
            try Output.json(["keys": keys])
            return
        }
        for key in keys {
            let granted = key.grants.isEmpty ? "nobody" : key.grants.joined(separator: ", ")
            try Output.line("\(key.name)  granted to \(granted)")
            for generation in key.generations {
                let words = [
                    "  \(generation.number)  \(generation.id)", "made \(generation.created)",
                    generation.lastUsed.map { "last given out \($0)" } ?? "never given out",
                    generation.retired.map { "retired \($0)" },
                ]
                try Output.line(words.compactMap { $0 }.joined(separator: ", "))
            }
        }
    }

    private struct Report: Encodable {
        var name: String
        var grants: [String]
        var generations: [Generation]

        struct Generation: Encodable {
            var number: Int
            var id: String
            var created: String
            var lastUsed: String?
            var retired: String?

            private enum CodingKeys: String, CodingKey {
                case number, id, created, retired
                case lastUsed = "last_used"
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
                    retired: record.retiredAt.map { "\($0)" }
                )
            }
        }
    }
}
