internal import AccessRules
internal import NIOCore

extension IPAddress {
    /// The address part of a socket address; `nil` for a Unix socket.
    init?(_ address: SocketAddress) {
        guard let text = address.ipAddress else { return nil }
        self.init(text)
    }
}
