internal import CLinux
internal import Glibc

/// The name of a local socket.
///
/// One that is no file needs no directory to be written, is seen in one network namespace only, and
/// is free again when the socket is closed. One that is a file is open to whom the file's mode
/// lets write, and stays when the socket is closed.
///
/// Format: `unix(7)`; "abstract" is a NUL, then the name.
public struct LocalName: Sendable {
    private let bytes: [UInt8]
    private let isFile: Bool

    /// Longest name in bytes: `sun_path` holds 108, the NUL before the name among them.
    public static let maximumCount = 107

    /// Makes a name that is no file.
    ///
    /// - Returns: Nil where it is empty or longer than ``maximumCount``.
    public init?(_ name: String) { self.init(name, isFile: false) }

    /// Names a file.
    ///
    /// - Returns: Nil where the path is empty or longer than ``maximumCount``.
    public init?(path: String) { self.init(path, isFile: true) }

    private init?(_ name: String, isFile: Bool) {
        bytes = Array(name.utf8)
        self.isFile = isFile
        guard (1...Self.maximumCount).contains(bytes.count) else { return nil }
    }

    func withAddress<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { path in
            for (index, byte) in bytes.enumerated() { path[isFile ? index : index + 1] = byte }
        }
        let count = MemoryLayout<sa_family_t>.size + 1 + bytes.count
        return withUnsafePointer(to: &address) { address in
            address.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(count))
            }
        }
    }
}

/// The process at the other end of a local socket, as the kernel knows it.
///
/// The corresponding C type is `struct ucred`.
public struct PeerCredentials: Sendable, Equatable {
    /// Its id; 0 where it is not in this pid namespace.
    public let process: Int32
    /// Its effective user in this user namespace; one that is not mapped here is 65534.
    public let user: UInt32

    init(ofPeerOn connection: Int32) throws(Errno) {
        var process: Int32 = 0
        var user: UInt32 = 0
        _ = try valueOrErrno { linux_peer(connection, &process, &user) }
        self.process = process
        self.user = user
    }
}
