public import PostgreSQL

extension StateDirectory {
    /// The store's database.
    public var database: String { "\(path)/store.db" }

    /// Whether there is a store here.
    public var holdsStore: Bool { StateFile.exists(database) }

    /// Opens the store, and makes it where it is missing: a new one knows the devices that earlier
    /// versions noted in `devices/`.
    ///
    /// - Parameter postgreSQL: Where the store is, if not in the directory.
    /// - Returns: The store.
    /// - Throws: ``KeyServerError/noAuthority(directory:)`` where there is neither store nor
    ///   authority; else as ``SQLiteStorage`` and ``PostgreSQLStorage``.
    public func openStorage(
        in postgreSQL: PostgreSQLAddress? = nil
    ) throws(KeyServerError) -> any Storage {
        if let postgreSQL { return try PostgreSQLStorage(postgreSQL, initialize: initialize) }
        guard holdsStore || holdsAuthority else { throw .noAuthority(directory: path) }
        return try SQLiteStorage(path: database, initialize: initialize)
    }

    private func initialize(_ store: any StorageTransaction) throws(KeyServerError) {
        let now = Timestamp.now
        let names = try importDevices(into: store, at: now)
        try store.append(
            AuditEntry("store.create", at: now, ["devices": names.isEmpty ? nil : .list(names)])
        )
    }

    /// Takes over the certificates in `devices/`, which stay where they are.
    private func importDevices(
        into store: any StorageTransaction,
        at time: Timestamp
    ) throws(KeyServerError) -> [String] {
        let directory = "\(path)/devices"
        guard StateFile.exists(directory) else { return [] }
        var names: [String] = []
        for file in try StateFile.names(in: directory) where file.hasSuffix(".pem") {
            let name = try DeviceName(String(file.dropLast(4))).text
            let id = try store.insertDevice(named: name, fleet: nil, tags: [], at: time)
            let pem = try StateFile.read("\(directory)/\(file)")
            try store.insert(pem, device: id, name, at: time)
            names.append(name)
        }
        return names
    }
}
