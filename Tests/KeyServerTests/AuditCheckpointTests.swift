import Cryptography
import Database
import Foundation
import SQLite
import TestSupport
import Testing

@testable import KeyServer

@Suite(.requires(.tool("openssl"))) struct `A checkpoint of the audit log` {
    private let directory: TemporaryDirectory
    private let administration: Administration
    private let vault: KeyVault

    init() throws {
        directory = try TemporaryDirectory()
        let state = StateDirectory(directory("state"))
        try state.createAuthority(hostNames: ["localhost"])
        administration = try Administration(state)
        let root = try RootKey(StoreKeyText.make())
        try administration.initializeSeal(root)
        vault = try administration.openVault(root)
        try act(3)
    }

    /// A root key's text, 32 random bytes.
    private enum StoreKeyText {
        static func make() -> SecretBytes {
            SecretBytes.random(count: 32).withUnsafeBytes { Hexadecimal.encodeSecret($0) }
        }
    }

    private func act(_ count: Int) throws {
        for number in 1...count { try administration.lockDown(reason: "reason \(number)") }
    }

    private func alter(_ sql: String) throws {
        try SQLiteConnection(path: directory("state/store.db"), mode: .existing).execute(sql)
    }

    private func verified(_ key: AuditPublicKey? = nil) throws -> AuditVerifier {
        try AuditTrail(administration.storage).verify(key: key)
    }

    @Test func `is what OpenSSL finds to be signed`() throws {
        let checkpoint = try administration.signAudit(vault)
        let message = AuditCheckpoint.message(checkpoint.place, at: checkpoint.time)
        let signature = try #require(Data(base64Encoded: checkpoint.signature))
        let pem = try directory.write(administration.auditKey().pem, to: "key.pem")
        let file = try directory.write(signature, to: "signature")
        func isVerified(_ message: [UInt8]) throws -> Bool {
            try Subprocess.run(
                "openssl",
                ["dgst", "-sha256", "-verify", pem, "-signature", file],
                standardInput: message
            ).status == 0
        }
        #expect(try isVerified(message))
        #expect(try !isVerified(message + [10]), "the control")
        let found = try verified()
        #expect(found.broken == nil)
        #expect(found.signed == checkpoint.place)
        #expect(found.checkpoints == 1)
        // Nothing has come since: there is nothing to sign.
        #expect(try administration.signAudit(vault) == checkpoint)
    }

    @Test func `is not to be had by who rewrites the log, with all its hashes`() throws {
        try administration.signAudit(vault)
        try act(2)
        let key = try administration.auditKey()
        #expect(try verified(key).signed != nil)
        // As who writes to the database can: the chain is in order again.
        try rewrite { $0.replacing("reason 2", with: "reason X") }
        let found = try verified(key)
        let broken = try #require(found.broken)
        #expect(found.place.number == broken - 1)
        // Without the checkpoints it is a chain like another, but for who has the key.
        try rewrite { $0.contains(AuditCheckpoint.act) ? nil : $0 }
        let silent = try verified(key)
        #expect(silent.broken == nil)
        #expect(silent.signed == nil)
    }

    /// Changes entries or leaves them out, and computes numbers and hashes anew.
    private func rewrite(_ change: (String) -> String?) throws {
        var records: [(entry: String, place: AuditPlace)] = []
        try AuditTrail(administration.storage).forEach(from: 1) { record in
            guard let entry = change(record.entry) else { return }
            let last = records.last?.place ?? .beginning
            let number = last.number + 1
            let renumbered = entry.replacing(
                #"{"number":\#(record.number),"#,
                with: #"{"number":\#(number),"#
            )
            let hash = (last.hash + Array(renumbered.utf8)).withUnsafeBytes {
                SHA256.digest(of: $0)
            }
            records.append((renumbered, AuditPlace(number: number, hash: hash)))
        }
        let connection = try SQLiteConnection(path: directory("state/store.db"), mode: .existing)
        try connection.execute("DELETE FROM audit")
        for record in records {
            try connection.run(
                "INSERT INTO audit VALUES (?, ?, ?)",
                .integer(record.place.number),
                .text(record.entry),
                .blob(record.place.hash)
            )
        }
    }

    @Test(arguments: [
        (#""through":"#, #""through":1"#), (#""signature":"M"#, #""signature":"N"#),
        (#""hash":""#, #""hash":"0"#),
        (#""key":""#, #""key":"0"#), (#"Z","act""#, #"Y","act""#),
    ])
    func `is refused when it was changed`(part: String, other: String) throws {
        try administration.signAudit(vault)
        try rewrite { entry in
            entry.contains(AuditCheckpoint.act) ? entry.replacing(part, with: other) : entry
        }
        #expect(try verified().broken == last(), "\(part)")
    }

    private func last() throws -> Int? {
        try AuditTrail(administration.storage).last(1).first?.number
    }

    @Test func `is not made by another key`() throws {
        let other = AuditSigner()
        let last = try #require(try AuditTrail(administration.storage).last(1).first)
        let now = Timestamp.now
        let forged = try other.sign(last.place, at: now)
        try administration.storage.transaction(.writing) { store throws(KeyServerError) in
            try store.append(forged.entry(at: now))
        }
        #expect(try verified().broken == last.number + 1)
        #expect(try verified(other.publicKey).broken == nil, "the control")
    }

    @Test func `is signed by what only the master key opens`() throws {
        let key = try administration.auditKey()
        let other = AuditSigner()
        // A key of somebody's own in the database, beside the sealed one.
        try alter("UPDATE audit_key SET public_key = '\(other.publicKey.pem)'")
        #expect(throws: KeyServerError.self) { try administration.signAudit(vault) }
        try alter("UPDATE audit_key SET public_key = '\(key.pem)'")
        try administration.signAudit(vault)
        try alter("UPDATE audit_key SET sealed = zeroblob(72)")
        try act(1)
        #expect(throws: KeyServerError.self) { try administration.signAudit(vault) }
    }

    @Test func `takes the place of what is cut off`() throws {
        let checkpoint = try administration.signAudit(vault)
        let file = directory("old.jsonl")
        #expect {
            try trim(before: .always, to: file)
        } throws: { error in
            guard case .noCheckpoint = error as? KeyServerError else { return false }
            return true
        }
        #expect(!StateFile.exists(file))
        try act(2)
        let far = Timestamp(seconds: Timestamp.now.seconds + 3600)
        let trimmed = try trim(before: far, to: file)
        #expect(trimmed.checkpoint == checkpoint)
        #expect(trimmed.count == checkpoint.place.number)
        let found = try verified()
        #expect(found.broken == nil)
        #expect(found.signed == checkpoint.place)
        #expect(try AuditTrail(administration.storage).base() == checkpoint)
        // What was there before is there no longer, and a mark of then says so.
        let mark = try AuditTrail.Mark("2:" + String(repeating: "a", count: 64))
        #expect(throws: KeyServerError.auditTrimmed(through: checkpoint.place.number)) {
            try AuditTrail(administration.storage).verify(expecting: mark)
        }
        let same = try AuditTrail.Mark(checkpoint.place.text)
        #expect(try AuditTrail(administration.storage).verify(expecting: same).broken == nil)
        // The same cut again, over a file that is there, or where nothing is left to cut.
        #expect(throws: KeyServerError.exists(path: file)) { try secondTrim(far, file) }
        // What is cut goes on from what was cut.
        try administration.signAudit(vault)
        try act(1)
        let second = try trim(before: far, to: directory("next.jsonl"))
        #expect(second.checkpoint.place.number > checkpoint.place.number)
        #expect(try verified().broken == nil)
        try alter("UPDATE audit_base SET number = number + 1")
        #expect(try verified().broken != nil)
    }

    private func secondTrim(_ time: Timestamp, _ file: String) throws {
        try administration.signAudit(vault)
        _ = try trim(before: time, to: file)
    }

    private func trim(
        before time: Timestamp,
        to path: String
    ) throws -> (count: Int, checkpoint: AuditCheckpoint) {
        try administration.trimAudit(before: time, to: path) { line in
            switch line {
            case .entry(let record): SecretBytes(copying: "\(record.entry)\n".utf8)
            case .checkpoint(let checkpoint): SecretBytes(copying: "\(checkpoint.place)\n".utf8)
            }
        }
    }

    @Test func `is not cut at where the log is not what was written`() throws {
        try administration.signAudit(vault)
        try act(1)
        try alter("UPDATE audit SET entry = replace(entry, 'reason 1', 'reason X')")
        let far = Timestamp(seconds: Timestamp.now.seconds + 3600)
        #expect(throws: KeyServerError.self) { try trim(before: far, to: directory("old")) }
        #expect(!StateFile.exists(directory("old")))
        #expect(try StateFile.names(in: directory.path).allSatisfy { !$0.hasSuffix(".tmp") })
    }
}
