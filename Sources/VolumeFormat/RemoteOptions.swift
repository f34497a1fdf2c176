internal import Cryptography

/// Typed access to the options of one remote; every fault names remote and option.
struct RemoteOptions {
    let configuration: RcloneConfiguration
    let remote: String

    func requireType(_ type: String) throws(ConfigurationFault) {
        guard configuration.hasRemote(remote) else { throw .remoteMissing(name: remote) }
        let found = configuration.value("type", of: remote) ?? "none"
        guard found == type else { throw .remoteType(name: remote, type: found) }
    }

    /// Refuses options that must be off.
    ///
    /// - Parameter flags: Their names.
    /// - Throws: ``ConfigurationFault/optionUnsupported(remote:option:value:)``.
    func refuse(_ flags: [String]) throws(ConfigurationFault) {
        for option in flags where try flag(option, default: false) {
            throw unsupported(option)
        }
    }

    func required(_ option: String) throws(ConfigurationFault) -> String {
        guard let value = try plain(option), !value.isEmpty else {
            throw .optionMissing(remote: remote, option: option)
        }
        return value
    }

    func choice<Choice: RawRepresentable<String>>(
        _ option: String,
        default fallback: Choice
    ) throws(ConfigurationFault) -> Choice {
        guard let value = try plain(option), !value.isEmpty else { return fallback }
        guard let choice = Choice(rawValue: value.lowercased()) else { throw unsupported(option) }
        return choice
    }

    /// The spellings that rclone takes for a flag.
    func flag(_ option: String, default fallback: Bool) throws(ConfigurationFault) -> Bool {
        guard let value = try plain(option), !value.isEmpty else { return fallback }
        switch value {
        case "1", "t", "T", "true", "TRUE", "True": return true
        case "0", "f", "F", "false", "FALSE", "False": return false
        default: throw unsupported(option)
        }
    }

    /// `suffix`: `none` is the empty one, and a full stop in front is added, as rclone does.
    func suffix() throws(ConfigurationFault) -> String {
        guard let value = try plain("suffix"), !value.isEmpty else { return ".bin" }
        if value.lowercased() == "none" { return "" }
        guard !value.utf8.contains(0x2f), !value.utf8.contains(0) else {
            throw unsupported("suffix")
        }
        return value.hasPrefix(".") ? value : ".\(value)"
    }

    func revealed(_ option: String) throws(ConfigurationFault) -> SecretBytes {
        guard let password = try revealedIfSet(option) else {
            throw .optionMissing(remote: remote, option: option)
        }
        return password
    }

    func revealedIfSet(_ option: String) throws(ConfigurationFault) -> SecretBytes? {
        guard let text = configuration.secret(option, of: remote), text.count > 0 else {
            return nil
        }
        guard let password = ObscuredPassword.reveal(text) else {
            throw .passwordNotObscured(remote: remote, option: option)
        }
        return password
    }

    /// A value; `%(…)s` in it would be replaced by rclone's library, so it is refused.
    private func plain(_ option: String) throws(ConfigurationFault) -> String? {
        guard let value = configuration.value(option, of: remote) else { return nil }
        guard !value.contains("%(") else { throw unsupported(option) }
        return value
    }

    private func unsupported(_ option: String) -> ConfigurationFault {
        .optionUnsupported(
            remote: remote,
            option: option,
            value: configuration.value(option, of: remote) ?? ""
        )
    }
}
