BEGIN TRANSACTION;
CREATE TABLE audit (
            number INTEGER PRIMARY KEY,
            entry TEXT NOT NULL,
            hash BLOB NOT NULL
        ) STRICT;
INSERT INTO "audit" VALUES(1,'{"number":1,"time":"1970-01-01T00:00:01.000Z","act":"test"}',X'054596E86AE996C70ED7BC0ACE4D73DAD8E989789869F151E4987204BB9262F7');
INSERT INTO "audit" VALUES(2,'{"number":2,"time":"1970-01-01T00:00:02.000Z","act":"test"}',X'B6185141ACB3411BBEC213827F53995FFB3D9C2C78B7DCECF069841CC898A2E9');
INSERT INTO "audit" VALUES(3,'{"number":3,"time":"1970-01-01T00:00:03.000Z","act":"test"}',X'5B8575965C77809FD51BD523F6C9FDD9BBBE9CCC8D4C265CCB2A4BE38F315AF1');
CREATE TABLE certificates (
            fingerprint TEXT PRIMARY KEY,
            device INTEGER REFERENCES devices ON DELETE SET NULL,
            pem TEXT NOT NULL,
            issued_at INTEGER NOT NULL,
            not_after INTEGER NOT NULL,
            revoked_at INTEGER
        ) STRICT, WITHOUT ROWID;
INSERT INTO "certificates" VALUES('abababababababababababababababababababababababababababababababab',1,'PEM',1000,4102444800000,NULL);
CREATE TABLE device_tags (
            device INTEGER NOT NULL REFERENCES devices ON DELETE CASCADE,
            tag TEXT NOT NULL,
            PRIMARY KEY (device, tag)
        ) STRICT, WITHOUT ROWID;
INSERT INTO "device_tags" VALUES(1,'north');
CREATE TABLE devices (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            name TEXT NOT NULL UNIQUE,
            fleet TEXT,
            added_at INTEGER NOT NULL,
            revoked_at INTEGER,
            seen_at INTEGER,
            seen_from TEXT
        , restored_at INTEGER) STRICT;
INSERT INTO "devices" VALUES(1,'kiosk','shops',1000,NULL,2000,'192.0.2.7',NULL);
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
INSERT INTO "enrolment_tokens" VALUES('77aa01c4',X'0000000000000000000000000000000000000000000000000000000000000000','till-#','shops','north',0,30,5,1,2,1000,4102444800000,NULL);
CREATE TABLE enrolments (
            token TEXT NOT NULL REFERENCES enrolment_tokens,
            public_key TEXT NOT NULL,
            certificate TEXT NOT NULL,
            PRIMARY KEY (token, public_key)
        ) STRICT, WITHOUT ROWID;
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
INSERT INTO "generations" VALUES('db',1,'5f0c1a2b',X'00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000',1000,NULL,2000);
CREATE TABLE grants (
            key TEXT NOT NULL,
            kind TEXT NOT NULL,
            subject TEXT NOT NULL,
            created_at INTEGER NOT NULL,
            PRIMARY KEY (key, kind, subject)
        ) STRICT, WITHOUT ROWID;
INSERT INTO "grants" VALUES('db','fleet','shops',1000);
CREATE TABLE holders (
            key TEXT NOT NULL,
            device INTEGER NOT NULL REFERENCES devices ON DELETE CASCADE,
            number INTEGER NOT NULL,
            since INTEGER NOT NULL,
            PRIMARY KEY (key, device, number)
        ) STRICT, WITHOUT ROWID;
INSERT INTO "holders" VALUES('db',1,1,2000);
CREATE TABLE lockdown (
            id INTEGER PRIMARY KEY CHECK (id = 1),
            since INTEGER NOT NULL,
            reason TEXT NOT NULL
        ) STRICT;
INSERT INTO "lockdown" VALUES(1,3000,'stolen');
CREATE TABLE policies (
            kind TEXT NOT NULL,
            subject TEXT NOT NULL,
            rules TEXT NOT NULL,
            set_at INTEGER NOT NULL,
            PRIMARY KEY (kind, subject)
        ) STRICT, WITHOUT ROWID;
INSERT INTO "policies" VALUES('fleet','shops','releases 3',1000);
CREATE TABLE seal (
            id INTEGER PRIMARY KEY CHECK (id = 1),
            salt BLOB NOT NULL,
            sealed BLOB NOT NULL
        ) STRICT;
INSERT INTO "seal" VALUES(1,X'000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F',X'000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F202122232425262728292A2B2C2D2E2F303132333435363738393A3B3C3D3E3F4041424344454647');
CREATE TABLE token_keys (
            id TEXT PRIMARY KEY,
            sealed BLOB NOT NULL,
            created_at INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
INSERT INTO "token_keys" VALUES('k1',X'000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000',1000);
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
INSERT INTO "tokens" VALUES('t1','f1',1,NULL,1000,4102444800000,NULL,NULL);
CREATE TABLE usage (
            holder TEXT NOT NULL,
            kind TEXT NOT NULL,
            subject TEXT NOT NULL,
            releases INTEGER NOT NULL,
            level INTEGER NOT NULL,
            updated_at INTEGER NOT NULL,
            PRIMARY KEY (holder, kind, subject)
        ) STRICT, WITHOUT ROWID;
INSERT INTO "usage" VALUES('device 1','fleet','shops',2,0,2000);
CREATE INDEX certificates_of_device ON certificates (device);
CREATE INDEX grants_of_subject ON grants (kind, subject);
CREATE INDEX holders_of_device ON holders (device);
CREATE INDEX usage_of_subject ON usage (kind, subject);
CREATE INDEX certificates_by_end ON certificates (not_after) WHERE revoked_at IS NULL;
CREATE INDEX tokens_of_device ON tokens (device);
CREATE INDEX tokens_of_family ON tokens (family);
COMMIT;
PRAGMA user_version = 8;
