internal import Glibc

/// An IPv4 or IPv6 address with a TCP port.
///
/// The corresponding C type is `struct sockaddr_storage` with its length.
public struct InternetAddress: Sendable {
    let storage: sockaddr_storage
    let count: socklen_t
    let family: Int32

    /// Whether the text is an IPv4 address in dotted decimal, or an IPv6 address without brackets.
    public static func isNumeric(_ text: String) -> Bool { isIPv4(text) || isIPv6(text) }

    /// Whether the text is an IPv4 address in dotted decimal.
    ///
    /// The corresponding C function is `inet_pton`.
    public static func isIPv4(_ text: String) -> Bool {
        var address = in_addr()
        return inet_pton(AF_INET, text, &address) == 1
    }

    /// Whether the text is an IPv6 address, without brackets or zone.
    ///
    /// The corresponding C function is `inet_pton`.
    public static func isIPv6(_ text: String) -> Bool {
        var address = in6_addr()
        return inet_pton(AF_INET6, text, &address) == 1
    }

    /// Looks a name up, in the order the system prefers the addresses.
    ///
    /// Waits as long as the system's resolver does (`options timeout` and `attempts` in
    /// `/etc/resolv.conf`; 5 s twice for each name server by default).
    ///
    /// - Parameters:
    ///   - host: A name, or an address, which is not looked up.
    ///   - port: Kept with every address.
    /// - Returns: At least one address.
    /// - Throws: ``ResolverError``.
    ///
    /// The corresponding C function is `getaddrinfo`.
    public static func resolve(
        host: String,
        port: UInt16
    ) throws(ResolverError) -> [InternetAddress] {
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_protocol = Int32(IPPROTO_TCP)
        // AI_ADDRCONFIG stays off: it would hide addresses in a container that has the loopback
        // interface only.
        hints.ai_flags = AI_NUMERICSERV
        var list: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(host, "\(port)", &hints, &list)
        guard code == 0 else {
            throw code == EAI_SYSTEM ? .system(.current) : .resolver(code: code)
        }
        defer { freeaddrinfo(list) }
        var addresses: [InternetAddress] = []
        var next = list
        while let entry = next?.pointee {
            if let address = InternetAddress(entry) { addresses.append(address) }
            next = entry.ai_next
        }
        guard !addresses.isEmpty else { throw .resolver(code: EAI_NONAME) }
        return addresses
    }

    private init?(_ entry: addrinfo) {
        guard let address = entry.ai_addr,
            Int(entry.ai_addrlen) <= MemoryLayout<sockaddr_storage>.size
        else { return nil }
        var storage = sockaddr_storage()
        withUnsafeMutableBytes(of: &storage) {
            $0.copyMemory(
                from: UnsafeRawBufferPointer(start: address, count: Int(entry.ai_addrlen))
            )
        }
        self.storage = storage
        count = entry.ai_addrlen
        family = entry.ai_family
    }
}

/// Why a name has no address.
public enum ResolverError: Error, Equatable, Sendable {
    /// The resolver's own code, `EAI_…`.
    case resolver(code: Int32)

    /// The operating system refused something the resolver needed.
    case system(Errno)
}

extension ResolverError: CustomStringConvertible {
    /// The C library's sentence, such as `Name or service not known`.
    ///
    /// The corresponding C function is `gai_strerror`.
    public var description: String {
        switch self {
        case .resolver(let code): String(cString: gai_strerror(code))
        case .system(let errno): "\(errno)"
        }
    }
}
