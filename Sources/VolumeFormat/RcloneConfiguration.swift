public import Cryptography

/// An rclone configuration: named remotes with their options, in decrypted form.
///
/// The text stays in secret memory: it holds passwords that are merely obscured. Remotes and option
/// names are public, values are lent out.
///
/// Format: `docs/formats.md` §5.
public struct RcloneConfiguration: Sendable {
    /// Longest file and longest text, in bytes.
    public static let maximumCount = 65_536

    /// The decrypted text, as it was read.
    public let text: SecretBytes

    /// Remotes in the order in which they first appear.
    public var remoteNames: [String] { sections.map(\.name) }

    private let sections: [ConfigurationSection]

    /// Reads decrypted text.
    ///
    /// - Parameter text: Lines of `[remote]`, `key = value` and comments, as rclone writes them.
    /// - Throws: ``VolumeFormatError/configuration(_:)``.
    public init(parsing text: SecretBytes) throws(VolumeFormatError) {
        do throws(ConfigurationFault) {
            sections = try text.withUnsafeBytes { text throws(ConfigurationFault) in
                try ConfigurationParser.sections(of: text)
            }
        } catch {
            throw .configuration(error)
        }
        self.text = text
    }

    /// Whether a remote of that name is there.
    public func hasRemote(_ name: String) -> Bool {
        sections.contains { $0.name == name }
    }

    /// An option's value as a secret; nil where the option is not set.
    ///
    /// A remote with a full stop in its name has the options of the part before it too, where it
    /// does not set them itself: so does rclone.
    public func secret(_ option: String, of remote: String) -> SecretBytes? {
        var name = remote[...]
        while true {
            if let section = sections.first(where: { $0.name == name }) {
                if let range = section.ranges[option] { return text.slice(range) }
            }
            guard let dot = name.lastIndex(of: ".") else { return nil }
            name = name[..<dot]
        }
    }

    /// An option's value, for options that are no secrets; nil where the option is not set.
    public func value(_ option: String, of remote: String) -> String? {
        secret(option, of: remote)?.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
    }

    /// The names of a remote's own options, in order.
    public func options(of remote: String) -> [String] {
        sections.first { $0.name == remote }?.options ?? []
    }
}

/// One remote: where its values lie in the text.
struct ConfigurationSection: Sendable {
    let name: String
    var options: [String] = []
    var ranges: [String: Range<Int>] = [:]

    init(name: String) {
        self.name = name
    }

    mutating func set(_ option: String, to range: Range<Int>) {
        if ranges.updateValue(range, forKey: option) == nil { options.append(option) }
    }
}
