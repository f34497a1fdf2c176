/// Where the store keeps what it knows: devices, keys, rules, the audit log.
///
/// Whatever stands behind it promises one thing: transactions that write follow one another, each
/// sees all that the ones before it committed, and is durable when ``transaction(_:_:)`` returns.
/// A decision taken in such a transaction can therefore not miss a revocation that came before it,
/// whichever process it came from. See ADR 31.
public protocol Storage: Sendable {
    /// Does something in one transaction: wholly, or, where `body` throws, not at all.
    ///
    /// - Parameters:
    ///   - access: Whether `body` writes.
    ///   - body: Must not let the transaction escape.
    /// - Returns: What `body` returns.
    /// - Throws: What `body` throws, ``KeyServerError/storage(reason:)``.
    func transaction<Result: Sendable>(
        _ access: StorageAccess,
        _ body: (any StorageTransaction) throws(KeyServerError) -> Result
    ) throws(KeyServerError) -> Result
}

/// What a transaction does.
public enum StorageAccess: Sendable {
    /// Reads one state, and holds nobody up.
    case reading

    /// Changes something, after all who began before.
    case writing
}

/// What can be read and changed in one transaction.
///
/// Every failure is a ``KeyServerError/storage(reason:)``.
public protocol StorageTransaction: DeviceStorage, KeyStorage, PolicyStorage, LockdownStorage,
    AuditStorage, ShareStorage, EnrolmentStorage, TokenStorage, ReleaseStorage
{}

/// Devices and their certificates.
public protocol DeviceStorage {
    /// The device of that name.
    func device(named name: String) throws(KeyServerError) -> DeviceRecord?

    /// The device of that number.
    func device(id: Int) throws(KeyServerError) -> DeviceRecord?

    /// Every device, by name.
    func devices() throws(KeyServerError) -> [DeviceRecord]

    /// Adds a device.
    ///
    /// - Returns: Its number.
    func insertDevice(
        named name: String,
        fleet: String?,
        tags: [String],
        at time: Timestamp
    ) throws(KeyServerError) -> Int

    /// Replaces what is known of a device, found by its number.
    func update(_ device: DeviceRecord) throws(KeyServerError)

    /// Forgets a device; its certificates stay, without one.
    func removeDevice(id: Int) throws(KeyServerError)

    /// Notes that a device got what it asked for.
    func noteSeen(
        device: Int,
        at time: Timestamp,
        from address: String
    ) throws(KeyServerError)

    /// The certificate with that SHA-256 fingerprint, in hexadecimal.
    func certificate(fingerprint: String) throws(KeyServerError) -> CertificateRecord?

    /// A device's certificates, the latest first.
    func certificates(ofDevice device: Int) throws(KeyServerError) -> [CertificateRecord]

    /// When, after a moment, the next certificate ends that a device goes by: not revoked, of one
    /// that is not either, and without a later one. A look-up by index, however many there are.
    func nextCertificateEnd(after time: Timestamp) throws(KeyServerError) -> Timestamp?

    /// Adds a certificate.
    func insert(_ certificate: CertificateRecord) throws(KeyServerError)

    /// Has a device's certificates end, those that do not end before.
    func revokeCertificates(ofDevice device: Int, at time: Timestamp) throws(KeyServerError)
}

/// The audit log; only ever appended to, and cut off at its beginning.
public protocol AuditStorage {
    /// The last entry; `nil` in an empty log.
    func lastAuditRecord() throws(KeyServerError) -> AuditRecord?

    /// Appends an entry.
    func append(_ record: AuditRecord) throws(KeyServerError)

    /// Entries in order.
    ///
    /// - Parameters:
    ///   - number: The first wanted.
    ///   - limit: At most so many.
    /// - Returns: Those there are.
    /// - Throws: ``KeyServerError/storage(reason:)``.
    func auditRecords(from number: Int, limit: Int) throws(KeyServerError) -> [AuditRecord]

    /// The key that signs checkpoints; `nil` in a store that has never been open.
    func auditKey() throws(KeyServerError) -> AuditKeyRecord?

    /// Keeps the key that signs checkpoints; there must be none.
    func insert(_ key: AuditKeyRecord) throws(KeyServerError)

    /// What stands in the place of entries that were cut off; `nil` where none were.
    func auditBase() throws(KeyServerError) -> AuditCheckpoint?

    /// Removes the entries a checkpoint speaks for, and puts it in their place.
    func cutAudit(at checkpoint: AuditCheckpoint) throws(KeyServerError)
}
