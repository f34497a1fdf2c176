internal import CLinux
internal import Glibc

/// The users and groups of `/etc/passwd` and `/etc/group`.
///
/// Read here, line by line: the C library's own look-up loads plug-ins, which a static executable
/// has not. Formats: `passwd(5)` and `group(5)`.
public struct AccountDatabase {
    /// A line of `/etc/passwd`.
    public struct User: Equatable, Sendable {
        /// The name.
        public let name: String
        /// The user id.
        public let id: UInt32
        /// The primary group's id.
        public let group: UInt32
        /// The home directory.
        public let home: String
    }

    private let users: [[Substring]]
    private let groups: [[Substring]]

    /// Takes the files' contents.
    ///
    /// - Parameters:
    ///   - passwd: What `/etc/passwd` holds.
    ///   - group: What `/etc/group` holds.
    public init(passwd: String, group: String) {
        users = Self.lines(of: passwd, fieldCount: 7)
        groups = Self.lines(of: group, fieldCount: 4)
    }

    /// Reads the files of the image; one that is missing is empty.
    public static func ofImage() -> AccountDatabase {
        AccountDatabase(
            passwd: contents(of: "/etc/passwd"),
            group: contents(of: "/etc/group")
        )
    }

    /// The user of that name.
    public func user(named name: some StringProtocol) -> User? {
        users.lazy.filter { $0[0] == name }.compactMap(Self.user).first
    }

    /// The user of that id.
    public func user(id: UInt32) -> User? {
        users.lazy.compactMap(Self.user).first { $0.id == id }
    }

    /// The id of the group of that name.
    public func groupID(named name: some StringProtocol) -> UInt32? {
        groups.lazy.filter { $0[0] == name }.compactMap { UInt32($0[2]) }.first
    }

    /// The ids of the groups that list the user, its primary one not counted.
    public func supplementaryGroups(of name: some StringProtocol) -> [UInt32] {
        groups.filter { $0[3].split(separator: ",").contains { $0 == name } }
            .compactMap { UInt32($0[2]) }
    }

    private static func user(_ fields: [Substring]) -> User? {
        guard let id = UInt32(fields[2]), let group = UInt32(fields[3]) else { return nil }
        return User(name: String(fields[0]), id: id, group: group, home: String(fields[5]))
    }

    private static func lines(of text: String, fieldCount: Int) -> [[Substring]] {
        text.split(separator: "\n").map {
            $0.split(separator: ":", omittingEmptySubsequences: false)
        }.filter { $0.count == fieldCount }
    }

    private static func contents(of path: String) -> String {
        guard let bytes = try? SmallFile.read(path: path, limit: 4 << 20) else { return "" }
        return String(decoding: bytes, as: UTF8.self)
    }
}
