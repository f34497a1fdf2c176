internal import ArgumentParser
internal import KeyServer

/// `secure-store device`.
struct DeviceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "device",
        abstract: "The devices that may ask for keys.",
        discussion: """
            What these commands change counts at once, on a running server too, and on connections \
            that are open: the next request goes by it.
            """,
        subcommands: [
            DeviceAdd.self, DeviceList.self, DeviceShow.self, DeviceLabel.self, DeviceRename.self,
            DeviceRevoke.self, DeviceRestore.self, DeviceRotate.self, DeviceRemove.self,
            EnrolTokenCommand.self,
        ]
    )
}

/// Which device a command is about.
struct DeviceArgument: ParsableArguments {
    @Argument(help: "The device's name.")
    var name: String
}

/// `secure-store device rename`.
struct DeviceRename: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rename",
        abstract: "Gives a device another name; its certificates stay good."
    )

    @OptionGroup var device: DeviceArgument

    @Argument(help: "Lower-case letters, digits and hyphens.")
    var newName: String

    @OptionGroup var state: StateOptions

    func run() throws {
        try state.administration().renameDevice(device.name, to: DeviceName(newName))
    }
}

/// `secure-store device revoke`.
struct DeviceRevoke: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke",
        abstract: "Gives devices nothing more, from this moment on."
    )

    @Argument(help: "The devices' names.")
    var names: [String]

    @OptionGroup var state: StateOptions

    func run() throws {
        let administration = try state.administration()
        for name in names { try administration.revokeDevice(name) }
    }
}

/// `secure-store device restore`.
struct DeviceRestore: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore",
        abstract: "Takes a revocation back."
    )

    @OptionGroup var device: DeviceArgument
    @OptionGroup var state: StateOptions

    func run() throws { try state.administration().restoreDevice(device.name) }
}

/// `secure-store device remove`.
struct DeviceRemove: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove",
        abstract: "Forgets a device; its certificates stay refused."
    )

    @OptionGroup var device: DeviceArgument
    @OptionGroup var state: StateOptions

    func run() throws { try state.administration().removeDevice(device.name) }
}

/// `secure-store device label`.
struct DeviceLabel: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "label",
        abstract: "Changes a device's fleet and tags."
    )

    @OptionGroup var device: DeviceArgument

    @Option(help: "The fleet it belongs to; empty for none.")
    var fleet: String?

    @Option(help: "A tag it gets; may be repeated.")
    var tag: [String] = []

    @Option(help: "A tag it loses; may be repeated.")
    var untag: [String] = []

    @OptionGroup var state: StateOptions

    func validate() throws {
        guard fleet != nil || !tag.isEmpty || !untag.isEmpty else {
            throw ValidationError("give --fleet, --tag or --untag")
        }
    }

    func run() throws {
        let newFleet: Label?? = try fleet.map { $0.isEmpty ? nil : try Label($0) }
        try state.administration().labelDevice(
            device.name,
            fleet: newFleet,
            adding: tag.map(Label.init),
            removing: untag.map(Label.init)
        )
    }
}
