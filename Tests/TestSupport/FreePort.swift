internal import Foundation
internal import Synchronization

/// TCP ports of this machine, for servers that have to be told one.
public enum FreePort {
    // Below the ports that kernels give to connections (32768 and up, as to whoever binds port 0):
    // another test's connection could have it before the server does.
    private static let range: Range<UInt16> = 15_000..<32_000
    private static let given = Mutex<Set<UInt16>>([])

    /// A port that nobody has on any IPv4 address, and that nobody else in this process is given.
    ///
    /// - Throws: `POSIXError` EADDRINUSE, where a thousand are taken.
    public static func any() throws -> UInt16 {
        for _ in 0..<1000 {
            let port = UInt16.random(in: range)
            let isNew = given.withLock { $0.insert(port).inserted }
            // On all addresses, which fails where somebody has it on a single one.
            if isNew, succeeds(bind, INADDR_ANY, port) { return port }
        }
        throw POSIXError(.EADDRINUSE)
    }

    /// Waits until somebody accepts connections on a port.
    ///
    /// - Parameters:
    ///   - port: On the loopback address.
    ///   - goOn: Asked between attempts; false gives up.
    /// - Returns: Whether somebody does.
    public static func waitUntilTaken(_ port: UInt16, while goOn: () -> Bool) -> Bool {
        let accepts = { succeeds(connect, INADDR_LOOPBACK, port) }
        return waitUntil(timeout: 15) { accepts() || !goOn() } && accepts()
    }

    /// Whether `call` succeeds with a new socket and this address.
    private static func succeeds(
        _ call: (Int32, UnsafePointer<sockaddr>?, socklen_t) -> Int32,
        _ host: in_addr_t,
        _ port: UInt16
    ) -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = host.bigEndian
        let length = socklen_t(MemoryLayout<sockaddr_in>.size)
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                call(descriptor, $0, length) == 0
            }
        }
    }
}
