internal import CPostgreSQL
internal import Cryptography

extension PostgreSQLAddress {
    private typealias Parameter = (name: StaticString, value: StaticString)

    /// What holds unless the URL says otherwise.
    private static let defaults: [Parameter] = [
        ("fallback_application_name", "secure-store"),
        // Seconds, for each of the URL's hosts.
        ("connect_timeout", "5"),
        // Milliseconds that what was sent may stay unacknowledged.
        ("tcp_user_timeout", "10000"), ("keepalives_idle", "10"), ("keepalives_interval", "5"),
        ("keepalives_count", "2"),
    ]

    /// What holds whatever the URL says.
    private static let forced: [Parameter] = [
        ("client_encoding", "UTF8"),
        // Of several hosts the one that can be written to, also after another has taken over.
        ("target_session_attrs", "read-write"),
        // Kerberos is not built in.
        ("gssencmode", "disable"),
    ]

    /// Connects; the caller closes what comes back, connected or not.
    ///
    /// C: `PQconnectdbParams`.
    func connect() -> OpaquePointer? {
        url.withUnsafeBytes { url in
            // An empty one counts as none.
            (password ?? SecretBytes(copying: [0])).withUnsafeBytes { password in
                // Of parameters that come twice the later one holds.
                var names = Self.defaults.map { Self.pointer($0.name) }
                var values = Self.defaults.map { Self.pointer($0.value) }
                names += [Self.pointer("dbname"), Self.pointer("password")]
                values += [url, password].map { $0.assumingMemoryBound(to: CChar.self).baseAddress }
                names += Self.forced.map { Self.pointer($0.name) } + [nil]
                values += Self.forced.map { Self.pointer($0.value) } + [nil]
                return PQconnectdbParams(names, values, 1)
            }
        }
    }

    private static func pointer(_ text: StaticString) -> UnsafePointer<CChar>? {
        UnsafeRawPointer(text.utf8Start).assumingMemoryBound(to: CChar.self)
    }
}
