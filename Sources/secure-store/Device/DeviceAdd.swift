internal import AccessRules
internal import ArgumentParser
internal import Cryptography
internal import KeyServer

/// `secure-store device add`.
struct DeviceAdd: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add",
        abstract: "Gives a device a certificate.",
        discussion: """
            --out writes cert.pem, key.pem, ca.pem and device.env, the three as variables, into a \
            directory; --base64 prints those variables, to paste into a dashboard; --balena prints \
            a script for the balena command. The private key is kept nowhere else.

            --csv adds many: a line each, NAME[,FLEET[,TAG TAG…]]; each device's files go into a \
            directory of its name under --out. All are added, or none.
            """
    )

    @Argument(help: "The device's name: lower-case letters, digits and hyphens.")
    var name: String?

    @Option(help: ArgumentHelp("Add every device of this file.", valueName: "file"))
    var csv: String?

    @OptionGroup var state: StateOptions
    @OptionGroup var output: CredentialOutput

    @Option(help: "The fleet it belongs to.")
    var fleet: String?

    @Option(help: "A word that grants and rules can go by; may be repeated.")
    var tag: [String] = []

    @Flag(help: "Give a device that has a certificate another one; the old one stays valid.")
    var replace = false

    func validate() throws {
        guard (name == nil) != (csv == nil) else {
            throw ValidationError("give a device's name, or --csv FILE")
        }
        guard csv == nil || output.out != nil else {
            throw ValidationError("--csv needs --out DIR")
        }
        guard csv == nil || !replace else {
            throw ValidationError("--csv adds new devices only")
        }
    }

    func run() throws {
        if let csv {
            try addAll(from: csv)
            return
        }
        let device = NewDevice(
            name: try DeviceName(name ?? ""),
            fleet: try fleet.map(Label.init),
            tags: try tag.map(Label.init)
        )
        let credentials = try state.administration().addDevice(
            device,
            days: output.days,
            replacing: replace,
            deliver: output.deliver
        )
        try output.report(credentials, of: device.name)
    }

    private func addAll(from path: String) throws {
        let text = try StateFile.read(path).withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
        let devices = try NewDevice.parse(csv: text)
        let directory = output.out ?? "."
        let more = try (fleet.map(Label.init), tag.map(Label.init))
        try state.administration().addDevices(
            devices.map { device in
                NewDevice(
                    name: device.name,
                    fleet: device.fleet ?? more.0,
                    tags: device.tags + more.1
                )
            },
            days: output.days
        ) { name, credentials throws(KeyServerError) in
            try credentials.write(to: "\(directory)/\(name)")
        }
        if output.json {
            try Output.json(["devices": devices.map(\.name.text)])
        } else {
            try Output.line("\(devices.count) devices are in \(directory)")
        }
    }
}

/// `secure-store device rotate`.
struct DeviceRotate: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rotate",
        abstract: "Gives a device a certificate in place of those it has.",
        discussion: "The old ones are refused at once, or when --overlap has passed."
    )

    @OptionGroup var device: DeviceArgument
    @OptionGroup var state: StateOptions
    @OptionGroup var output: CredentialOutput

    @Option(help: ArgumentHelp("How long the old ones stay good.", valueName: "duration"))
    var overlap = TimeSpan(seconds: 0)

    func run() throws {
        let name = try DeviceName(device.name)
        let credentials = try state.administration().rotateDevice(
            name,
            days: output.days,
            overlap: overlap.seconds,
            deliver: output.deliver
        )
        try output.report(credentials, of: name)
    }
}
