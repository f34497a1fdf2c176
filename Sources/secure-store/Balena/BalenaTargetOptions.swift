internal import ArgumentParser
internal import BalenaAPI
internal import Cryptography
internal import KeyServer

/// Whose variables a push sets.
struct BalenaTargetOptions: ParsableArguments {
    @Option(help: "A device, by its UUID.")
    var device: String?

    @Option(help: ArgumentHelp("Every device of a fleet, by its slug.", valueName: "org/fleet"))
    var fleet: String?

    @Option(help: ArgumentHelp("Many devices: a file of NAME,UUID lines.", valueName: "file"))
    var csv: String?

    @Option(
        help: ArgumentHelp("With --csv: each gets DIR/NAME/device.env.", valueName: "dir")
    )
    var credentials: String?

    @Option(help: "Of this service only; without it, of all services.")
    var service: String?

    func validate() throws {
        guard [device, fleet, csv].compactMap({ $0 }).count == 1 else {
            throw ValidationError("give one of --device UUID, --fleet ORG/FLEET and --csv FILE")
        }
        guard credentials == nil || csv != nil else {
            throw ValidationError("--credentials goes with --csv; for one device: --env-file")
        }
        guard device.map(Self.isUUID) != false else {
            throw ValidationError("--device takes a whole UUID: 32 or 62 hexadecimal digits")
        }
        guard fleet.map(Self.isSlug) != false else {
            throw ValidationError("--fleet takes a slug, as the dashboard shows it: org/fleet")
        }
    }

    /// The targets, and the file of each one's own variables.
    func read() throws -> [PushTarget] {
        if let device {
            return [PushTarget(balena: .device(uuid: device, service: service))]
        }
        if let fleet { return [PushTarget(balena: .fleet(slug: fleet, service: service))] }
        let text = try SecretInput.read(csv ?? "", limit: 16 << 20, keepsNewline: true)
            .withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
        return try parse(text)
    }

    private func parse(_ text: String) throws -> [PushTarget] {
        var targets: [PushTarget] = []
        var seen: Set<String> = []
        let lines = text.split(omittingEmptySubsequences: false) { $0.isNewline }
        for (index, line) in lines.enumerated() where !line.isEmpty && !line.hasPrefix("#") {
            let fields = line.split(separator: ",", omittingEmptySubsequences: false).map { field in
                String(field.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
            }
            guard fields.count == 2, let name = try? DeviceName(fields[0]),
                Self.isUUID(fields[1])
            else {
                throw CommandFailure(.data, "line \(index + 1) of \(csv ?? "") is not NAME,UUID")
            }
            guard seen.insert(name.text).inserted, seen.insert(fields[1]).inserted else {
                throw CommandFailure(.data, "line \(index + 1) of \(csv ?? "") repeats another")
            }
            targets.append(
                PushTarget(
                    balena: .device(uuid: fields[1], service: service),
                    name: name.text,
                    file: credentials.map { "\($0)/\(name)/device.env" }
                )
            )
        }
        guard !targets.isEmpty else { throw CommandFailure(.data, "\(csv ?? "") names no device") }
        return targets
    }

    private static func isUUID(_ text: String) -> Bool {
        [32, 62].contains(text.utf8.count)
            && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }

    private static func isSlug(_ text: String) -> Bool {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        return parts.count == 2 && parts.allSatisfy { !$0.isEmpty } && text.utf8.count <= 255
            && text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
    }
}

/// A target, and what belongs to it alone.
struct PushTarget {
    /// Whose variables at balena.
    var balena: BalenaTarget

    /// The device's name here.
    var name: String?

    /// The file of its own variables.
    var file: String?
}
