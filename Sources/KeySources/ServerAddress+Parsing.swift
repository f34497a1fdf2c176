internal import Linux

extension ServerAddress {
    /// Reads what follows `https://`.
    ///
    /// - Parameters:
    ///   - text: `host[:port][/prefix]`.
    ///   - defaultPort: The port where none is given.
    /// - Throws: ``KeySourceError/malformedAddress(_:)``.
    public init(
        parsing text: Substring,
        defaultPort: UInt16 = Self.defaultPort
    ) throws(KeySourceError) {
        do throws(AddressFault) {
            try self.init(checking: text, defaultPort)
        } catch {
            throw .malformedAddress(error)
        }
    }

    private init(checking text: Substring, _ defaultPort: UInt16) throws(AddressFault) {
        guard !text.utf8.contains(where: { $0 == UInt8(ascii: "?") || $0 == UInt8(ascii: "#") })
        else { throw .queryOrFragment }
        let slash = text.firstIndex(of: "/") ?? text.endIndex
        let authority = text[..<slash]
        guard !authority.utf8.contains(UInt8(ascii: "@")) else { throw .userInformation }
        let (host, port) = try Self.split(authority)
        self.host = try Self.host(host)
        self.port = try Self.port(port) ?? defaultPort
        path = try Self.prefix(text[slash...])
    }

    /// Splits at the colon before the port; an IPv6 address keeps its brackets.
    private static func split(
        _ authority: Substring
    ) throws(AddressFault) -> (host: Substring, port: Substring?) {
        guard !authority.isEmpty else { throw .missingHost }
        let hostEnd: Substring.Index
        if authority.hasPrefix("[") {
            guard let bracket = authority.firstIndex(of: "]") else { throw .invalidHost }
            hostEnd = authority.index(after: bracket)
        } else {
            hostEnd = authority.firstIndex(of: ":") ?? authority.endIndex
        }
        let rest = authority[hostEnd...]
        if rest.isEmpty { return (authority[..<hostEnd], nil) }
        guard rest.hasPrefix(":") else { throw .invalidHost }
        return (authority[..<hostEnd], rest.dropFirst())
    }

    private static func host(_ text: Substring) throws(AddressFault) -> String {
        guard !text.isEmpty else { throw .missingHost }
        if text.hasPrefix("[") {
            let address = String(text.dropFirst().dropLast())
            guard InternetAddress.isIPv6(address) else { throw .invalidHost }
            return address.lowercased()
        }
        let name = (text.hasSuffix(".") ? text.dropLast() : text).lowercased()
        guard isHostName(name) else { throw .invalidHost }
        // A name whose last label is a number is an IPv4 address, or a mistyped one.
        if let last = name.split(separator: ".").last, last.utf8.allSatisfy(\.isDigit),
            !InternetAddress.isIPv4(name)
        {
            throw .invalidHost
        }
        return name
    }

    /// RFC 1123 §2.1, and `_`, which Compose services and balena hosts are named with.
    private static func isHostName(_ name: String) -> Bool {
        guard (1...253).contains(name.utf8.count) else { return false }
        return name.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
            (1...63).contains(label.utf8.count) && !label.hasPrefix("-") && !label.hasSuffix("-")
                && label.utf8.allSatisfy { $0.isLetter || $0.isDigit || "-_".utf8.contains($0) }
        }
    }

    private static func port(_ text: Substring?) throws(AddressFault) -> UInt16? {
        guard let text else { return nil }
        guard (1...5).contains(text.utf8.count), text.utf8.allSatisfy(\.isDigit),
            let port = UInt16(text), port > 0
        else { throw .invalidPort }
        return port
    }

    /// Without the slashes at its end, so that an endpoint can follow.
    private static func prefix(_ text: Substring) throws(AddressFault) -> String {
        var path = text
        while path.hasSuffix("/") { path = path.dropLast() }
        guard path.utf8.count <= 256, path.utf8.allSatisfy(isPathCharacter) else {
            throw .invalidPath
        }
        guard !path.hasSuffix("/key"), !path.hasSuffix("/v1/unlock") else {
            throw .endpointInPath
        }
        return String(path)
    }

    /// RFC 3986 §3.3, `/` included.
    private static func isPathCharacter(_ byte: UInt8) -> Bool {
        byte.isLetter || byte.isDigit || "-._~%!$&'()*+,;=:@/".utf8.contains(byte)
    }
}
