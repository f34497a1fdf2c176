/// The steps from nothing to the present form of the database.
///
/// A step, once released, never changes; a new form is a new step. `PRAGMA user_version` counts
/// how many a database has taken. Times are milliseconds since 1970. See `docs/key-server.md`.
enum StoreSchema {
    /// The number of steps this program knows.
    static var version: Int { steps.count }

    /// Each in turn, as SQL.
    static let steps = [
        devicesAndAudit, keysAndGrants, lockdown, holders, policies, certificateEnds, enrolment,
        tokens, shareSets + auditKey,
    ]

    /// Marks a SQLite file as ours: "SSdb".
    static let applicationID = 0x5353_6462

    /// Which certificate ends next, without looking at all.
    private static let certificateEnds = """
        CREATE INDEX certificates_by_end ON certificates (not_after) WHERE revoked_at IS NULL;
        """

    private static let tokens = """
        CREATE TABLE tokens (
            id TEXT PRIMARY KEY,
            family TEXT NOT NULL,
            device INTEGER NOT NULL REFERENCES devices ON DELETE CASCADE,
            key_names TEXT,
            issued_at INTEGER NOT NULL,
            expires_at INTEGER NOT NULL,
            revoked_at INTEGER,
            successor TEXT
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX tokens_of_device ON tokens (device);
        CREATE INDEX tokens_of_family ON tokens (family);
        CREATE TABLE token_keys (
            id TEXT PRIMARY KEY,
            sealed BLOB NOT NULL,
            created_at INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        """

    private static let enrolment = """
        CREATE TABLE enrolment_tokens (
            id TEXT PRIMARY KEY,
            hash BLOB NOT NULL,
            name TEXT NOT NULL,
            fleet TEXT,
            tags TEXT NOT NULL,
            replaces INTEGER NOT NULL,
            days INTEGER NOT NULL,
            maximum INTEGER NOT NULL,
            uses INTEGER NOT NULL,
            next_number INTEGER NOT NULL,
            created_at INTEGER NOT NULL,
            expires_at INTEGER NOT NULL,
            ended_at INTEGER
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE enrolments (
            token TEXT NOT NULL REFERENCES enrolment_tokens,
            public_key TEXT NOT NULL,
            certificate TEXT NOT NULL,
            PRIMARY KEY (token, public_key)
        ) STRICT, WITHOUT ROWID;
        """

    private static let auditKey = """
        CREATE TABLE audit_key (
            id INTEGER PRIMARY KEY CHECK (id = 1),
            public_key TEXT NOT NULL,
            sealed BLOB NOT NULL
        ) STRICT;
        CREATE TABLE audit_base (
            id INTEGER PRIMARY KEY CHECK (id = 1),
            number INTEGER NOT NULL,
            hash BLOB NOT NULL,
            time TEXT NOT NULL,
            signer TEXT NOT NULL,
            signature TEXT NOT NULL
        ) STRICT;
        """

    private static let shareSets = """
        CREATE TABLE share_sets (
            id TEXT PRIMARY KEY,
            shares INTEGER NOT NULL,
            threshold INTEGER NOT NULL,
            made_at INTEGER NOT NULL,
            ended_at INTEGER
        ) STRICT, WITHOUT ROWID;
        """

    private static let holders = """
        CREATE TABLE holders (
            key TEXT NOT NULL,
            device INTEGER NOT NULL REFERENCES devices ON DELETE CASCADE,
            number INTEGER NOT NULL,
            since INTEGER NOT NULL,
            PRIMARY KEY (key, device, number)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX holders_of_device ON holders (device);
        """

    private static let policies = """
        CREATE TABLE policies (
            kind TEXT NOT NULL,
            subject TEXT NOT NULL,
            rules TEXT NOT NULL,
            set_at INTEGER NOT NULL,
            PRIMARY KEY (kind, subject)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE usage (
            holder TEXT NOT NULL,
            kind TEXT NOT NULL,
            subject TEXT NOT NULL,
            releases INTEGER NOT NULL,
            level INTEGER NOT NULL,
            updated_at INTEGER NOT NULL,
            PRIMARY KEY (holder, kind, subject)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX usage_of_subject ON usage (kind, subject);
        ALTER TABLE devices ADD COLUMN restored_at INTEGER;
        """

    private static let lockdown = """
        CREATE TABLE lockdown (
            id INTEGER PRIMARY KEY CHECK (id = 1),
            since INTEGER NOT NULL,
            reason TEXT NOT NULL
        ) STRICT;
        """

    private static let keysAndGrants = """
        CREATE TABLE seal (
            id INTEGER PRIMARY KEY CHECK (id = 1),
            salt BLOB NOT NULL,
            sealed BLOB NOT NULL
        ) STRICT;
        CREATE TABLE generations (
            key TEXT NOT NULL,
            number INTEGER NOT NULL,
            identifier TEXT NOT NULL,
            sealed BLOB NOT NULL,
            created_at INTEGER NOT NULL,
            retired_at INTEGER,
            used_at INTEGER,
            PRIMARY KEY (key, number)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE grants (
            key TEXT NOT NULL,
            kind TEXT NOT NULL,
            subject TEXT NOT NULL,
            created_at INTEGER NOT NULL,
            PRIMARY KEY (key, kind, subject)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX grants_of_subject ON grants (kind, subject);
        """

    private static let devicesAndAudit = """
        CREATE TABLE devices (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            name TEXT NOT NULL UNIQUE,
            fleet TEXT,
            added_at INTEGER NOT NULL,
            revoked_at INTEGER,
            seen_at INTEGER,
            seen_from TEXT
        ) STRICT;
        CREATE TABLE device_tags (
            device INTEGER NOT NULL REFERENCES devices ON DELETE CASCADE,
            tag TEXT NOT NULL,
            PRIMARY KEY (device, tag)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE certificates (
            fingerprint TEXT PRIMARY KEY,
            device INTEGER REFERENCES devices ON DELETE SET NULL,
            pem TEXT NOT NULL,
            issued_at INTEGER NOT NULL,
            not_after INTEGER NOT NULL,
            revoked_at INTEGER
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX certificates_of_device ON certificates (device);
        CREATE TABLE audit (
            number INTEGER PRIMARY KEY,
            entry TEXT NOT NULL,
            hash BLOB NOT NULL
        ) STRICT;
        """
}
