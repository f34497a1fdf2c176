internal import ArgumentParser
internal import FoundationEssentials
internal import Linux
internal import VolumeTransfer

/// `secure-store volume ls`.
struct VolumeList: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ls",
        abstract: "Lists what is in a volume."
    )

    @Argument(help: "The directory with the encrypted files.")
    var storage: String

    @Argument(help: "A directory in the volume.")
    var path = ""

    @OptionGroup var selection: VolumeSelection

    @Flag(name: [.customShort("R"), .long], help: "Everything below it as well.")
    var recursive = false

    @Flag(name: .shortAndLong, help: "Size, mode and time of each.")
    var long = false

    @Flag(help: "Entries of the storage too whose names are none of the volume's.")
    var all = false

    @Flag(help: "Print one JSON object.")
    var json = false

    func run() throws {
        let volume = try selection.open(storage, .reading)
        let tree: StoredTree
        do throws(TransferError) {
            tree = try StoredTree(of: volume, at: VolumePath.segments(path), isRecursive: recursive)
        } catch {
            throw CommandFailure(error)
        }
        let entries = tree.entries.map(ListedEntry.init).sorted { $0.path < $1.path }
        if json {
            try Output.json(
                Listing(
                    entries: entries,
                    undecodable: tree.foreign.map {
                        Listing.Undecodable(storedName: $0.path, reason: $0.cause)
                    }
                )
            )
        } else {
            for entry in entries {
                try Output.line(long ? entry.longLine : ShownPath.text(entry.shownPath))
            }
            if all {
                for note in tree.foreign {
                    try Output.line("undecodable \(ShownPath.text(note.path)): \(note.cause)")
                }
            }
        }
        for failure in tree.failures {
            Program.report("\(ShownPath.text(failure.path)): \(failure.cause)")
        }
        if let failure = tree.failures.first { throw ExitCode(ExitStatus(failure.cause).rawValue) }
    }
}

/// What `--json` prints.
private struct Listing: Encodable {
    struct Undecodable: Encodable {
        var storedName: String
        var reason: String

        private enum CodingKeys: String, CodingKey {
            case reason
            case storedName = "stored_name"
        }
    }

    var entries: [ListedEntry]
    var undecodable: [Undecodable]
}

/// One entry as it is printed.
private struct ListedEntry: Encodable {
    var path: String
    var type: String
    var size: UInt64?
    var mode: String
    var modified: String

    init(_ entry: TreeEntry) {
        path = entry.text
        type =
            switch entry.kind {
            case .file: "file"
            case .directory: "directory"
            case .link: "link"
            }
        size = entry.contentSize
        let digits = String(entry.status.mode & 0o7777, radix: 8)
        mode = String(repeating: "0", count: max(0, 4 - digits.count)) + digits
        modified = Date(timeIntervalSince1970: Double(entry.status.modified.seconds))
            .formatted(.iso8601)
    }

    var shownPath: String {
        switch type {
        case "directory": path + "/"
        case "link": path + "@"
        default: path
        }
    }

    var longLine: String {
        // A stored size that no content has: cut off.
        let size = size.map(String.init) ?? (type == "directory" ? "-" : "damaged")
        let padding = String(repeating: " ", count: max(0, 12 - size.count))
        return "\(mode) \(padding)\(size) \(modified) \(ShownPath.text(shownPath))"
    }
}

/// Paths in a volume, as a person gives them.
enum VolumePath {
    /// The segments; empty ones and `.` are passed over.
    static func segments(_ path: String) -> [[UInt8]] {
        path.utf8.split(separator: UInt8(ascii: "/")).map { Array($0) }.filter { $0 != [0x2e] }
    }
}

/// Paths as a terminal may show them: names come from whoever filled the volume.
enum ShownPath {
    /// Control characters, which could drive a terminal, are replaced.
    static func text(_ path: String) -> String {
        var shown = ""
        for scalar in path.unicodeScalars {
            let isControl =
                scalar.properties.generalCategory == .control
                || scalar.properties.generalCategory == .format
            shown.unicodeScalars.append(isControl ? "\u{fffd}" : scalar)
        }
        return shown
    }
}
