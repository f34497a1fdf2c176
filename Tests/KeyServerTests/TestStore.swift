import AccessRules
import Cryptography
import Database
import PostgreSQL
import SQLite
import TestSupport
import Testing

@testable import KeyServer

/// The databases a store can be in: what holds of it must hold in each.
enum TestDatabase: CaseIterable, CustomTestStringConvertible {
    case sqlite
    case postgreSQL

    var testDescription: String { self == .sqlite ? "SQLite" : "PostgreSQL" }
}

extension StorageTransaction {
    /// The grant by which a device may have a key, as a decision finds it.
    func grant(ofKey key: String, to device: DeviceRecord) throws(KeyServerError) -> GrantSubject? {
        let candidates = GrantSubject.those(of: device)
        var questions = ReleaseQuestions()
        questions.grants = Set(candidates.map { KeyGrant(key: key, subject: $0) })
        let found = try records(for: questions).grants
        return candidates.first { found.contains(KeyGrant(key: key, subject: $0)) }
    }

    /// What somebody has had under a policy.
    func usage(of subject: PolicySubject, by holder: String) throws(KeyServerError) -> RuleUsage {
        let counter = UsageCounter(subject: subject, holder: holder)
        return try usages([counter])[counter] ?? RuleUsage()
    }
}

/// A store of a test's own, in either database.
final class TestStore: Sendable {
    let directory: TemporaryDirectory
    let state: StateDirectory
    let address: PostgreSQLAddress?

    init(_ database: TestDatabase, hasAuthority: Bool = true) throws {
        directory = try TemporaryDirectory()
        state = StateDirectory(directory("state"))
        if hasAuthority {
            try state.createAuthority(hostNames: ["localhost"])
        } else {
            try StateFile.createDirectory(state.path)
        }
        address =
            switch database {
            case .sqlite: nil
            case .postgreSQL:
                try PostgreSQLAddress(
                    SecretBytes(copying: PostgreSQLServer.shared().makeDatabase().utf8)
                )
            }
    }

    /// How the store is named in errors.
    var path: String { address?.shown ?? state.database }

    /// The store, opened once more: nothing is remembered from before.
    func administration() throws -> Administration { try Administration(state, in: address) }

    /// The same, without the entry that says that it was made.
    func storage() throws -> any Storage {
        if let address { return try PostgreSQLStorage(address) }
        return try SQLiteStorage(path: state.database)
    }

    /// The database itself, as who has broken into it has it.
    func connection() throws -> any DatabaseConnection {
        if let address { return try PostgreSQLConnection(address) }
        return try SQLiteConnection(path: state.database, mode: .creating)
    }

    /// Takes an empty database as far as an earlier version did.
    func migrate(to version: Int) throws {
        let connection = try connection()
        for step in StoreSchema.steps[..<version] {
            try connection.execute(address == nil ? step : PostgreSQLSchema.translate(step))
        }
        if address != nil { try connection.execute(PostgreSQLSchema.versionTable) }
        try setVersion(version)
    }

    /// Has the database say that it is of some version.
    func setVersion(_ version: Int) throws {
        try connection().execute(
            address == nil
                ? "PRAGMA user_version = \(version)"
                : "UPDATE store_version SET version = \(version)"
        )
    }
}
