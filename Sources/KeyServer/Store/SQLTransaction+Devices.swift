internal import Database

extension SQLTransaction {
    /// Nine of them.
    var deviceColumns: String {
        """
        devices.id, devices.name, devices.fleet, devices.added_at, devices.revoked_at,
        devices.seen_at, devices.seen_from,
        (SELECT \(connection.dialect.joined("tag")) FROM device_tags WHERE device = devices.id),
        devices.restored_at
        """
    }

    private static let certificateColumns =
        "fingerprint, device, pem, issued_at, not_after, revoked_at"

    func device(named name: String) throws(KeyServerError) -> DeviceRecord? {
        try attempt { () throws(DatabaseError) in
            try connection.row(
                "SELECT \(deviceColumns) FROM devices WHERE name = ?",
                .text(name),
                read: Self.device
            )
        }
    }

    func device(id: Int) throws(KeyServerError) -> DeviceRecord? {
        try attempt { () throws(DatabaseError) in
            try connection.row(
                "SELECT \(deviceColumns) FROM devices WHERE id = ?",
                .integer(id),
                read: Self.device
            )
        }
    }

    func devices() throws(KeyServerError) -> [DeviceRecord] {
        try attempt { () throws(DatabaseError) in
            try connection.rows(
                "SELECT \(deviceColumns) FROM devices ORDER BY name",
                read: Self.device
            )
        }
    }

    func insertDevice(
        named name: String,
        fleet: String?,
        tags: [String],
        at time: Timestamp
    ) throws(KeyServerError) -> Int {
        do throws(DatabaseError) {
            let id = try connection.row(
                "INSERT INTO devices (name, fleet, added_at) VALUES (?, ?, ?) RETURNING id",
                .text(name),
                .text(fleet),
                .time(time)
            ) { $0.integer(0) }
            guard let id else { throw .failed(operation: "insert", code: "", message: "no row") }
            try insert(tags: tags, device: id)
            return id
        } catch {
            if error.isConflict { throw .deviceExists(name) }
            throw .storage(reason: "\(error)")
        }
    }

    func update(_ device: DeviceRecord) throws(KeyServerError) {
        do throws(DatabaseError) {
            try connection.run(
                """
                UPDATE devices SET name = ?, fleet = ?, added_at = ?, revoked_at = ?, seen_at = ?,
                seen_from = ?, restored_at = ? WHERE id = ?
                """,
                .text(device.name),
                .text(device.fleet),
                .time(device.addedAt),
                .time(device.revokedAt),
                .time(device.seenAt),
                .text(device.seenFrom),
                .time(device.restoredAt),
                .integer(device.id)
            )
            try connection.run("DELETE FROM device_tags WHERE device = ?", .integer(device.id))
            try insert(tags: device.tags, device: device.id)
        } catch {
            if error.isConflict { throw .deviceExists(device.name) }
            throw .storage(reason: "\(error)")
        }
    }

    func removeDevice(id: Int) throws(KeyServerError) {
        _ = try attempt { () throws(DatabaseError) in
            try connection.run("DELETE FROM devices WHERE id = ?", .integer(id))
        }
    }

    func noteSeen(
        device: Int,
        at time: Timestamp,
        from address: String
    ) throws(KeyServerError) {
        try post(
            "UPDATE devices SET seen_at = ?, seen_from = ? WHERE id = ?",
            .time(time),
            .text(address),
            .integer(device)
        )
    }

    func certificate(fingerprint: String) throws(KeyServerError) -> CertificateRecord? {
        try attempt { () throws(DatabaseError) in
            try connection.row(
                "SELECT \(Self.certificateColumns) FROM certificates WHERE fingerprint = ?",
                .text(fingerprint),
                read: Self.certificate
            )
        }
    }

    func certificates(ofDevice device: Int) throws(KeyServerError) -> [CertificateRecord] {
        try attempt { () throws(DatabaseError) in
            try connection.rows(
                """
                SELECT \(Self.certificateColumns) FROM certificates WHERE device = ?
                ORDER BY issued_at DESC, not_after DESC
                """,
                .integer(device),
                read: Self.certificate
            )
        }
    }

    /// Bounded, so that a thousand devices that were revoked do not make a look-up long.
    static let nextCertificateEnd = """
        SELECT ending.not_after FROM (
            SELECT device, not_after FROM certificates
            WHERE revoked_at IS NULL AND not_after > ? ORDER BY not_after LIMIT 1000
        ) AS ending
        JOIN devices ON devices.id = ending.device AND devices.revoked_at IS NULL
        WHERE NOT EXISTS (
            SELECT 1 FROM certificates AS later WHERE later.device = ending.device
            AND later.revoked_at IS NULL AND later.not_after > ending.not_after
        )
        ORDER BY ending.not_after LIMIT 1
        """

    func nextCertificateEnd(after time: Timestamp) throws(KeyServerError) -> Timestamp? {
        try attempt { () throws(DatabaseError) in
            try connection.row(Self.nextCertificateEnd, .time(time)) { $0.time(0) }
        }
    }

    func insert(_ certificate: CertificateRecord) throws(KeyServerError) {
        _ = try attempt { () throws(DatabaseError) in
            try connection.run(
                "INSERT INTO certificates (\(Self.certificateColumns)) VALUES (?, ?, ?, ?, ?, ?)",
                .text(certificate.fingerprint),
                .integer(certificate.device),
                .text(certificate.pem),
                .time(certificate.issuedAt),
                .time(certificate.notAfter),
                .time(certificate.revokedAt)
            )
        }
    }

    func revokeCertificates(
        ofDevice device: Int,
        at time: Timestamp
    ) throws(KeyServerError) {
        _ = try attempt { () throws(DatabaseError) in
            try connection.run(
                """
                UPDATE certificates SET revoked_at = ?
                WHERE device = ? AND (revoked_at IS NULL OR revoked_at > ?)
                """,
                .time(time),
                .integer(device),
                .time(time)
            )
        }
    }

    private func insert(tags: [String], device: Int) throws(DatabaseError) {
        for tag in Set(tags) {
            try connection.run(
                "INSERT INTO device_tags (device, tag) VALUES (?, ?)",
                .integer(device),
                .text(tag)
            )
        }
    }

    static func device(_ row: any DatabaseRow) -> DeviceRecord {
        DeviceRecord(
            id: row.integer(0),
            name: row.text(1),
            fleet: row.textIfAny(2),
            tags: row.text(7).split(separator: ",").map(String.init).sorted(),
            addedAt: row.time(3),
            revokedAt: row.timeIfAny(4),
            seenAt: row.timeIfAny(5),
            restoredAt: row.timeIfAny(8),
            seenFrom: row.textIfAny(6)
        )
    }

    private static func certificate(_ row: any DatabaseRow) -> CertificateRecord {
        CertificateRecord(
            fingerprint: row.text(0),
            device: row.integerIfAny(1),
            pem: row.text(2),
            issuedAt: row.time(3),
            notAfter: row.time(4),
            revokedAt: row.timeIfAny(5)
        )
    }
}
