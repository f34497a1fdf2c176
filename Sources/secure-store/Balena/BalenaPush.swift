internal import ArgumentParser
internal import BalenaAPI
internal import Glibc

/// `secure-store balena push`.
struct BalenaPush: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "push",
        abstract: "Sets variables of a device, of many, of a fleet or of a service.",
        discussion: """
            --env-file takes lines NAME=VALUE, as device add and env encrypt write them: MTLS_…, \
            ENCRYPTED_…, SECURE_INIT_…; other names only where --plain names them. --encrypt takes \
            such lines in clear, encrypts them here, and sends them as ENCRYPTED_NAME.

            What is at balena already is left alone, so a push that was interrupted is done again \
            and goes on where it stopped. Variables that are not named stay as they are.

            --csv sets them on many devices: a line each, NAME,UUID, as balena devices prints \
            them; each gets DIR/NAME/device.env of --credentials DIR, and what the other options \
            name. A device that balena does not know is passed over, and the exit code is 1.
            """
    )

    @OptionGroup var target: BalenaTargetOptions
    @OptionGroup var input: BalenaVariableOptions
    @OptionGroup var balena: BalenaOptions

    @Flag(help: "Say what would be set, and set nothing.")
    var dryRun = false

    @Flag(help: "Print one JSON object.")
    var json = false

    func validate() throws {
        guard input.isGiven || target.credentials != nil else {
            throw ValidationError("nothing to set: give --env-file, --encrypt or --credentials")
        }
        let takers = [balena.tokenFile, input.key.keyFile] + input.envFile + input.encrypt
        guard takers.filter({ $0 == "-" }).count <= 1 else {
            throw ValidationError("standard input can be only one of them")
        }
    }

    func run() throws {
        let common = try input.read()
        let targets = try target.read()
        // Before anything is sent: files that are missing or wrong change nothing. They are read
        // again in their turn: three mappings a secret, and the kernel has 65,530 for a process.
        for target in targets { _ = try variables(of: target, common) }
        var client = try balena.client()
        var reports: [PushReport] = []
        for (index, target) in targets.enumerated() {
            let report = try push(try variables(of: target, common), to: target, with: &client)
            reports.append(report)
            if !json {
                let place = targets.count > 1 ? "[\(index + 1)/\(targets.count)] " : ""
                try Output.line(place + report.line(dryRun: dryRun))
            }
        }
        let failed = reports.filter { $0.error != nil }.count
        if json {
            try Output.json(
                PushReports(dryRun: dryRun, requests: client.requestCount, targets: reports)
            )
        }
        if failed > 0 {
            throw CommandFailure(.failure, "\(failed) of \(reports.count) were not set")
        }
    }

    private func variables(
        of target: PushTarget,
        _ common: [BalenaVariable]
    ) throws -> [BalenaVariable] {
        let own = try target.file.map { try input.read(fixed: $0) } ?? []
        return try BalenaVariableOptions.merge(own, common)
    }

    /// Sets the variables of one target; what is wrong with this one only is a part of the report.
    private func push(
        _ variables: [BalenaVariable],
        to target: PushTarget,
        with client: inout BalenaClient
    ) throws(BalenaError) -> PushReport {
        do throws(BalenaError) {
            let outcome = try client.push(variables, to: target.balena, dryRun: dryRun)
            return PushReport(target, outcome)
        } catch  where error.isOfOneTarget {
            return PushReport(target, error)
        }
    }
}

/// What was done, of one target.
struct PushReport: Encodable {
    var target: String
    var name: String?
    var created: [String] = []
    var changed: [String] = []
    var unchanged: [String] = []
    var error: String?

    /// It was done.
    init(_ target: PushTarget, _ outcome: VariableOutcome) {
        self.target = target.balena.name
        name = target.name
        created = outcome.created
        changed = outcome.changed
        unchanged = outcome.unchanged
    }

    /// It was not.
    init(_ target: PushTarget, _ error: BalenaError) {
        self.target = target.balena.name
        name = target.name
        self.error = "\(error)"
    }

    /// One line for a person: names, never values.
    func line(dryRun: Bool) -> String {
        let title = name.map { "\($0), \(target): " } ?? "\(target): "
        if let error { return title + error }
        let words = [
            (dryRun ? "would create" : "created", created),
            (dryRun ? "would change" : "changed", changed),
            ("unchanged", unchanged),
        ]
        return title
            + words.filter { !$0.1.isEmpty }.map { "\($0.0) \($0.1.joined(separator: " "))" }
            .joined(separator: "; ")
    }
}

/// What was done, all together.
struct PushReports: Encodable {
    var dryRun: Bool
    var requests: Int
    var targets: [PushReport]

    private enum CodingKeys: String, CodingKey {
        case requests, targets
        case dryRun = "dry_run"
    }
}
