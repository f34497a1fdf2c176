/// The remote that a `crypt` remote encrypts: a local directory.
enum WrappedRemote {
    /// The directory in a value of `remote`.
    ///
    /// - Parameters:
    ///   - value: A path, or `name:path` with the name of another remote, or `:local:path`.
    ///   - volume: The `crypt` remote, which must not wrap itself.
    ///   - configuration: Holds the other remote.
    /// - Returns: The path; empty where the value is nothing but a remote.
    /// - Throws: ``ConfigurationFault``.
    static func path(
        _ value: String,
        of volume: String,
        in configuration: RcloneConfiguration
    ) throws(ConfigurationFault) -> String {
        if value.hasPrefix(":local:") { return String(value.dropFirst(7)) }
        guard let colon = value.firstIndex(of: ":"), !value[..<colon].contains("/") else {
            return value
        }
        let name = String(value[..<colon])
        guard name != volume else { throw .remoteType(name: name, type: "crypt") }
        let options = RemoteOptions(configuration: configuration, remote: name)
        try options.requireType("local")
        // Names on disk would differ.
        if let encoding = configuration.value("encoding", of: name), !encoding.isEmpty {
            guard Set(encoding.split(separator: ",")) == ["Slash", "Dot"] else {
                throw .optionUnsupported(remote: name, option: "encoding", value: encoding)
            }
        }
        return String(value[value.index(after: colon)...])
    }
}
