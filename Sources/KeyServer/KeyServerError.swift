public import Linux

/// Why the server, or an act of administration, did not go ahead.
public enum KeyServerError: Error, Equatable, Sendable {
    /// A file could not be read or written.
    case file(path: String, operation: String, errno: Errno)

    /// A file is larger than anything that belongs there.
    case fileTooLarge(path: String, limit: Int)

    /// A file that must not be replaced exists.
    case exists(path: String)

    /// The state directory holds no certificate authority.
    case noAuthority(directory: String)

    /// A certificate or private key cannot be read, or the two do not belong together.
    case certificate(source: String, reason: String)

    /// The certificate that devices may show is one that whoever has it can serve with.
    case sharedCertificate(source: String)

    /// Certificates could not be made.
    case issuing(reason: String)

    /// The name cannot be a device's.
    case deviceName(String)

    /// A device of that name has a certificate already.
    case deviceExists(String)

    /// The name can be no host's.
    case hostName(String)

    /// The text is no address and port to listen on.
    case listenAddress(text: String, reason: String)

    /// There is no key to give out.
    case noKey

    /// A key cannot be used.
    case key(source: String, reason: String)

    /// An address could not be listened on.
    case listen(address: String, reason: String)

    /// The store could not be read or written.
    case storage(reason: String)

    /// The store has been changed by a later version of this program.
    case newerStore(path: String, version: Int)

    /// There is no device of that name.
    case noDevice(String)

    /// The word cannot be a tag's or a fleet's.
    case label(String)

    /// A list of devices cannot be read.
    case deviceList(line: Int, reason: String)

    /// The text is no place in the audit log.
    case auditMark(String)

    /// What was asked for was cut off the audit log.
    case auditTrimmed(through: Int)

    /// The store has nothing yet that signs its audit log.
    case noAuditKey

    /// No checkpoint of the audit log is old enough to cut at.
    case noCheckpoint(before: Timestamp)

    /// The audit log is not as it was written.
    case brokenAudit(entry: Int)

    /// The store has been made able to hold keys before.
    case sealed

    /// The store has not been made able to hold keys.
    case noSeal

    /// The root key does not open the store.
    case wrongRootKey

    /// A share is of no use.
    case share(ShareFault)

    /// So many shares cannot be made.
    case shareCount(shares: Int, threshold: Int)

    /// The shares together do not open the store.
    case wrongShares

    /// No server of this state directory can be asked.
    case noServer(socket: String, reason: String)

    /// The server did not do what an operator asked for.
    case refused(reason: String)

    /// A key could not be sealed or opened.
    case sealing(reason: String)

    /// The store has a key of that name.
    case keyExists(String)

    /// The store has no key of that name.
    case noSuchKey(String)

    /// A generation must not be retired yet.
    case generationInUse(name: String, number: Int, reason: String)

    /// A device's request for a certificate cannot be granted as it is.
    case signingRequest(reason: String)

    /// The word cannot be a key's name.
    case tokenKeyName(String)

    /// There is no token of that id.
    case noToken(String)

    /// There is no such grant.
    case noGrant(key: String, subject: String)

    /// There is no policy of that subject.
    case noPolicy(String)

    /// The audit log of a copied store is not as it was written.
    case brokenBackup(path: String, entry: Int)

    /// The store is in PostgreSQL, which has its own programs for this.
    case notInFile

    /// The server stopped for a reason of its own.
    case stopped(reason: String)
}

extension KeyServerError: CustomStringConvertible {
    /// One line for a person: what was tried, what was found, what would help.
    public var description: String {
        switch self {
        case .file(let path, let operation, let errno):
            "cannot \(operation) \(path): \(errno)"
        case .fileTooLarge(let path, let limit):
            "\(path) is larger than \(limit) bytes"
        case .exists(let path):
            "\(path) exists already; remove it or choose another place"
        case .noAuthority(let directory):
            "no certificate authority in \(directory); make one with "
                + "'secure-store ca init --state \(directory) --hostname NAME', "
                + "or name certificates with --cert, --key and --client-ca"
        case .certificate(let source, let reason):
            "\(source): \(reason)"
        case .sharedCertificate(let source):
            "devices would share the certificate that \(source) has them trust: whoever has one "
                + "device could pose as the server; give each its own ('secure-store ca init', "
                + "'secure-store device add'), or, while a fleet migrates, start with --legacy"
        case .issuing(let reason):
            "the certificate could not be made: \(reason)"
        case .deviceName(let name):
            "'\(name)' cannot be a device's name: 1 to 63 lower-case letters, digits and hyphens, "
                + "neither first nor last a hyphen"
        case .deviceExists(let name):
            "a device '\(name)' exists already; choose another name, "
                + "or give it a new certificate with --replace"
        case .hostName(let name):
            "'\(name)' is neither a host name nor an IP address"
        case .listenAddress(let text, let reason):
            "'\(text)' is no address to listen on such as 0.0.0.0:8443 or [::]:8443: \(reason)"
        case .noKey:
            "there is no key to give out; set STORE_PASSWORD, "
                + "or name a file with --password-file or --key-file"
        case .key(let source, let reason):
            "the key from \(source) cannot be used: \(reason)"
        case .listen(let address, let reason):
            "cannot listen on \(address): \(reason)"
        case .storage(let reason):
            "the store cannot be used: \(reason)"
        case .newerStore(let path, let version):
            "\(path) was changed by a later version of secure-store (form \(version), this one "
                + "knows \(StoreSchema.version)); use that version, or restore a backup"
        case .noDevice(let name):
            "there is no device '\(name)'; 'secure-store device list' shows those there are"
        case .label(let text):
            "'\(text)' cannot be a tag or a fleet: 1 to 63 letters, digits, '.', '_' and '-', "
                + "the first a letter or digit"
        case .deviceList(let line, let reason):
            "line \(line) of the list: \(reason)"
        case .auditMark(let text):
            "'\(text)' is no place in an audit log such as 'secure-store audit verify' prints: "
                + "NUMBER:HASH"
        case .auditTrimmed(let number):
            "the audit log was cut off up to entry \(number): look in the file that 'audit trim' wrote"
        case .noAuditKey:
            "the store has no key yet that signs its audit log; 'secure-store operator init' makes "
                + "one, or, in a store of an earlier version, 'secure-store audit checkpoint'"
        case .noCheckpoint(let time):
            "nothing can be cut off: no checkpoint speaks for entries before \(time) alone; a running "
                + "server makes one every ten minutes, 'secure-store audit checkpoint' at once"
        case .brokenAudit(let entry):
            "the audit log is not as it was written: entry \(entry) is missing or changed"
        case .sealed:
            "the store has a root key already; change it with 'secure-store operator rekey'"
        case .noSeal:
            "the store has no root key yet; give it one with 'secure-store operator init'"
        case .wrongRootKey:
            "this root key does not open the store"
        case .share(let fault):
            "\(fault)"
        case .shareCount(let shares, let threshold):
            "\(threshold) of \(shares) shares cannot be: at most 255, and at least 2 of them to open "
                + "the store"
        case .wrongShares:
            "these shares together do not open the store: one of them is not what was given out. "
                + "All are forgotten; begin again"
        case .noServer(let socket, let reason):
            "no server can be asked over \(socket): \(reason); start it with 'secure-store serve'"
        case .refused(let reason):
            "the server says: \(reason)"
        case .sealing(let reason):
            "sealed keys: \(reason)"
        case .keyExists(let name):
            "a key '\(name)' exists already; 'secure-store key rotate' makes its next generation"
        case .noSuchKey(let name):
            "there is no key '\(name)'; 'secure-store key list' shows those there are"
        case .generationInUse(let name, let number, let reason):
            "generation \(number) of '\(name)' cannot be retired: \(reason)"
        case .noGrant(let key, let subject):
            "the key '\(key)' is not granted to \(subject)"
        case .signingRequest(let reason):
            "the signing request \(reason)"
        case .tokenKeyName(let name):
            "'\(name)' cannot be a key's name: 1 to 128 letters, digits, '.', '_' and '-'"
        case .noToken(let id):
            "there is no token '\(id)'; the command 'list' shows those there are"
        case .noPolicy(let subject):
            "there is no policy of \(subject); 'secure-store policy list' shows those there are"
        case .brokenBackup(let path, let entry):
            "\(path) is not restored: entry \(entry) of its audit log is missing or changed"
        case .notInFile:
            "the store is in PostgreSQL: copy it with 'pg_dump --format=custom --file=FILE URL' while "
                + "the servers go on, and put it back with 'pg_restore --dbname=URL FILE'"
        case .stopped(let reason):
            "the server stopped: \(reason)"
        }
    }
}
