public import Cryptography

/// Everything a fetcher needs to know, as it crosses to its process over an inherited descriptor.
///
/// All numbers big-endian:
///
///     "SSFJ" ‖ version (1 byte: 2) ‖ port (2) ‖ fields ‖
///     three lists, of key names, of ids, and of names whose every generation is wanted:
///     number (2) ‖ names
///
/// The fields are host, path, certificate, private key, authority, token, the authority's
/// fingerprint, one-time token, device, boot id, version, and `renew` where the certificate may be
/// renewed; each, and each name, is length (4) ‖ bytes. A credential that is absent has the
/// length 0.
public struct FetchJob: Sendable {
    /// Longest encoding in bytes.
    public static let maximumEncodedCount = 1_048_576

    /// The server to ask.
    public let server: ServerAddress

    /// What to show it, and what to trust it by.
    public let credentials: Credentials

    /// The names of the keys to ask for.
    public let keyNames: [String]

    /// The ids of generated keys that its variables need, whichever generation they are of.
    public let identifiers: [String]

    /// The names of keys of which every generation is asked for.
    public var generations: [String]

    /// Whether the certificate is to be renewed where its time has come.
    public var renews: Bool

    /// What the device calls itself: for the server's log; it is the certificate that counts.
    public let device: String

    /// The kernel's `boot_id`: tells a restart of the container from one of the machine.
    public let bootID: String

    /// The version of this software.
    public let version: String

    /// Describes a job.
    ///
    /// - Parameters:
    ///   - server: The server to ask.
    ///   - credentials: What to show it, and what to trust it by.
    ///   - keyNames: The names of the keys to ask for.
    ///   - device: What the device calls itself.
    ///   - bootID: The kernel's `boot_id`.
    ///   - version: The version of this software.
    ///   - identifiers: The ids of generated keys that its variables need.
    ///   - generations: The names of keys of which every generation is asked for.
    ///   - renews: Whether the certificate is to be renewed where its time has come.
    public init(
        server: ServerAddress,
        credentials: Credentials,
        keyNames: [String] = [],
        device: String = "",
        bootID: String = "",
        version: String,
        identifiers: [String] = [],
        generations: [String] = [],
        renews: Bool = false
    ) {
        self.server = server
        self.credentials = credentials
        self.keyNames = keyNames
        self.device = device
        self.bootID = bootID
        self.version = version
        self.identifiers = identifiers
        self.generations = generations
        self.renews = renews
    }

    /// The job as it crosses a pipe; secret, since it holds the credentials.
    public func encoded() -> SecretBytes {
        var parts = [SecretBytes(copying: Self.magic), number(Int(server.port), count: 2)]
        let fields = [
            text(server.host), text(server.path),
            credentials.certificate, credentials.privateKey, credentials.authority,
            credentials.token,
            credentials.authorityFingerprint.map { SecretBytes(copying: $0) },
            credentials.enrolmentToken,
            text(device), text(bootID), text(version), text(renews ? "renew" : ""),
        ]
        for field in fields { parts += lengthPrefixed(field) }
        for list in [keyNames, identifiers, generations] {
            parts.append(number(list.count, count: 2))
            for name in list { parts += lengthPrefixed(text(name)) }
        }
        return SecretBytes.concatenating(parts)
    }

    /// Reads what ``encoded()`` wrote, and nothing else.
    ///
    /// - Parameter bytes: The whole encoding, at most ``maximumEncodedCount`` bytes.
    /// - Throws: ``KeySourceError/malformedJob``.
    public init(decoding bytes: UnsafeRawBufferPointer) throws(KeySourceError) {
        guard bytes.count <= Self.maximumEncodedCount, bytes.starts(with: Self.magic) else {
            throw .malformedJob
        }
        var rest = bytes[Self.magic.count...]
        let port = UInt16(truncatingIfNeeded: try takeNumber(2, from: &rest))
        let host = try takeText(from: &rest)
        let path = try takeText(from: &rest)
        server = ServerAddress(host: host, port: port, path: path)
        var credentials = Credentials()
        credentials.certificate = try takeSecret(from: &rest)
        credentials.privateKey = try takeSecret(from: &rest)
        credentials.authority = try takeSecret(from: &rest)
        credentials.token = try takeSecret(from: &rest)
        credentials.authorityFingerprint = try takeSecret(from: &rest)?
            .withUnsafeBytes { Array($0) }
        credentials.enrolmentToken = try takeSecret(from: &rest)
        self.credentials = credentials
        device = try takeText(from: &rest)
        bootID = try takeText(from: &rest)
        version = try takeText(from: &rest)
        renews = try takeText(from: &rest) == "renew"
        keyNames = try takeTexts(from: &rest)
        identifiers = try takeTexts(from: &rest)
        generations = try takeTexts(from: &rest)
        guard rest.isEmpty else { throw .malformedJob }
    }

    private static let magic = Array("SSFJ\u{2}".utf8)
}

private func takeTexts(
    from rest: inout Slice<UnsafeRawBufferPointer>
) throws(KeySourceError) -> [String] {
    var texts: [String] = []
    for _ in 0..<(try takeNumber(2, from: &rest)) { texts.append(try takeText(from: &rest)) }
    return texts
}

private func text(_ string: String) -> SecretBytes { SecretBytes(copying: string.utf8) }

private func number(_ value: Int, count: Int) -> SecretBytes {
    SecretBytes(
        copying: (1...count).map { UInt8(truncatingIfNeeded: value >> (8 * (count - $0))) }
    )
}

private func lengthPrefixed(_ bytes: SecretBytes?) -> [SecretBytes] {
    guard let bytes else { return [number(0, count: 4)] }
    return [number(bytes.count, count: 4), bytes]
}

private typealias Bytes = Slice<UnsafeRawBufferPointer>

private func takeNumber(_ count: Int, from rest: inout Bytes) throws(KeySourceError) -> Int {
    try take(count, from: &rest).reduce(0) { $0 << 8 | Int($1) }
}

private func takeSecret(from rest: inout Bytes) throws(KeySourceError) -> SecretBytes? {
    let field = try take(try takeNumber(4, from: &rest), from: &rest)
    return field.isEmpty ? nil : SecretBytes(copying: UnsafeRawBufferPointer(rebasing: field))
}

private func takeText(from rest: inout Bytes) throws(KeySourceError) -> String {
    let field = try take(try takeNumber(4, from: &rest), from: &rest)
    guard let text = String(validating: field, as: UTF8.self) else { throw .malformedJob }
    return text
}

private func take(_ count: Int, from rest: inout Bytes) throws(KeySourceError) -> Bytes {
    guard rest.count >= count else { throw .malformedJob }
    defer { rest = rest.dropFirst(count) }
    return rest.prefix(count)
}
