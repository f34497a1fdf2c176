internal import ArgumentParser
internal import KeyServer

/// Which devices a grant or a policy is for.
struct SubjectOptions: ParsableArguments {
    @Option(help: "The device of this name.")
    var device: String?

    @Option(help: "Every device with this tag.")
    var tag: String?

    @Option(help: "Every device of this fleet.")
    var fleet: String?

    @Flag(help: "Every device of the store.")
    var all = false

    func validate() throws {
        // Only counted here: words that make no sense are the command's own errors.
        guard [device, tag, fleet].count(where: { $0 != nil }) + (all ? 1 : 0) <= 1 else {
            throw ValidationError("give one of --device, --tag, --fleet and --all")
        }
    }

    /// Whom the options name.
    ///
    /// - Throws: `ValidationError` where they name nobody.
    func subject() throws -> GrantSubject {
        if let device { return .device(try DeviceName(device).text) }
        if let tag { return .tag(try Label(tag).text) }
        if let fleet { return .fleet(try Label(fleet).text) }
        guard all else {
            throw ValidationError("give one of --device, --tag, --fleet and --all")
        }
        return .everyDevice
    }

    /// Whether the options name anybody.
    var isGiven: Bool { device != nil || tag != nil || fleet != nil || all }
}
