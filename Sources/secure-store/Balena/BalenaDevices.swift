internal import ArgumentParser
internal import BalenaAPI
internal import KeyProtocol
internal import KeyServer

/// `secure-store balena devices`.
struct BalenaDevices: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "devices",
        abstract: "Lists a fleet's devices as NAME,UUID, for balena push --csv.",
        discussion: """
            A name that a device cannot have here (it is lower-case letters, digits and hyphens), \
            or that two have, becomes device- and the first seven digits of the UUID.
            """
    )

    @Option(help: ArgumentHelp("The fleet's slug.", valueName: "org/fleet"))
    var fleet: String

    @OptionGroup var balena: BalenaOptions

    @Flag(help: "Print one JSON object, with names as they are.")
    var json = false

    func run() throws {
        var client = try balena.client()
        let devices = try client.devices(ofFleet: fleet)
        if json {
            try Output.json(["devices": devices.map { ["name": $0.name, "uuid": $0.uuid] }])
            return
        }
        var counts: [String: Int] = [:]
        for device in devices { counts[device.name, default: 0] += 1 }
        for device in devices {
            let isFit = (try? DeviceName(device.name)) != nil && counts[device.name] == 1
            let name = isFit ? device.name : "device-\(device.uuid.prefix(7))"
            try Output.line("\(name),\(ShownText.make(device.uuid))")
        }
    }
}
