internal import CPostgreSQL
public import Cryptography

/// Where a PostgreSQL database is, and how to log in there.
public struct PostgreSQLAddress: Sendable {
    /// `postgres://user@host:port/database`, as far as the URL says; never a password.
    public let shown: String

    /// Whether the URL itself holds a password.
    public let holdsPassword: Bool

    let url: SecretBytes
    let password: SecretBytes?

    /// Takes a connection URL.
    ///
    /// - Parameters:
    ///   - url: `postgres://…` or `postgresql://…`, with any of libpq's parameters.
    ///   - password: In place of the URL's, and of `PGPASSFILE` and `PGPASSWORD`.
    /// - Throws: ``PostgreSQLAddressError``.
    ///
    /// Form: https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING
    public init(
        _ url: SecretBytes,
        password: SecretBytes? = nil
    ) throws(PostgreSQLAddressError) {
        let isURL = ["postgres://", "postgresql://"].contains { scheme in
            url.withUnsafeBytes { $0.starts(with: scheme.utf8) }
        }
        guard isURL, !url.withUnsafeBytes({ $0.contains(0) }) else { throw .noURL }
        self.url = Self.terminated(url)
        self.password = password.map(Self.terminated)
        let parts = self.url.withUnsafeBytes { bytes in
            // The message would repeat parts of the URL, and so perhaps of a password.
            PQconninfoParse(bytes.assumingMemoryBound(to: CChar.self).baseAddress, nil)
        }
        guard let parts else { throw .malformedURL }
        defer { PQconninfoFree(parts) }
        var values: [String: String] = [:]
        var hasPassword = false
        var part = parts
        while let keyword = part.pointee.keyword {
            let name = String(cString: keyword)
            if let value = part.pointee.val {
                // A secret is looked at, never copied.
                if name == "password" || name == "sslpassword" {
                    hasPassword = true
                } else {
                    values[name] = String(cString: value)
                }
            }
            part += 1
        }
        // Part of a password, where its '@' or '/' is written as it is; libpq would name it.
        guard values["host"]?.contains("@") != true,
            values["port"]?.allSatisfy({ $0.isNumber || $0 == "," }) != false
        else { throw .malformedURL }
        holdsPassword = hasPassword
        let user = values["user"].map { "\($0)@" } ?? ""
        let port = values["port"].map { ":\($0)" } ?? ""
        shown = "postgres://\(user)\(values["host"] ?? "")\(port)/\(values["dbname"] ?? "")"
    }

    /// With the zero byte that C wants at the end.
    private static func terminated(_ text: SecretBytes) -> SecretBytes {
        SecretBytes.concatenating([text, SecretBytes(copying: [0])])
    }
}

/// Why a text is no address of a database.
public enum PostgreSQLAddressError: Error, Equatable, Sendable {
    /// It begins with neither `postgres://` nor `postgresql://`.
    case noURL

    /// libpq cannot read it.
    case malformedURL
}

extension PostgreSQLAddressError: CustomStringConvertible {
    /// A few words; never the text itself, which may hold a password.
    public var description: String {
        switch self {
        case .noURL: "it must begin with postgres:// or postgresql://"
        case .malformedURL:
            "it cannot be read; '%', '@', ':' and '/' in a name or password are written %25, %40, "
                + "%3A and %2F"
        }
    }
}
