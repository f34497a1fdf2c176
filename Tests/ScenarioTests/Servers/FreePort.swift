import Foundation
import TestSupport

/// Ports of this machine.
enum FreePort {
    /// A port that nobody listened on a moment ago.
    static func any() throws -> UInt16 {
        try withSocket { socket in
            var address = loopback(0)
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            let bound = withUnsafeMutablePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                    bind(socket, pointer, length) == 0
                        && getsockname(socket, pointer, &length) == 0
                }
            }
            guard bound else { throw POSIXError(.EADDRINUSE) }
            return UInt16(bigEndian: address.sin_port)
        }
    }

    /// Waits until somebody accepts connections on a port.
    ///
    /// - Parameters:
    ///   - port: On the loopback address.
    ///   - goOn: Asked between attempts; false gives up.
    /// - Returns: Whether somebody does.
    static func waitUntilTaken(_ port: UInt16, while goOn: () -> Bool) -> Bool {
        let accepted = waitUntil(timeout: 15) { accepts(port) || !goOn() }
        return accepted && accepts(port)
    }

    private static func accepts(_ port: UInt16) -> Bool {
        let answer = try? withSocket { socket in
            var address = loopback(port)
            let length = socklen_t(MemoryLayout<sockaddr_in>.size)
            return withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(socket, $0, length) == 0
                }
            }
        }
        return answer ?? false
    }

    private static func withSocket<Result>(_ body: (Int32) throws -> Result) throws -> Result {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw POSIXError(.init(rawValue: errno) ?? .EIO) }
        defer { close(descriptor) }
        return try body(descriptor)
    }

    private static func loopback(_ port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
        return address
    }
}
