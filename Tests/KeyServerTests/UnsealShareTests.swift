import Cryptography
import Synchronization
import TestSupport
import Testing

@testable import KeyServer

@Suite struct `A share` {
    private let directory: TemporaryDirectory
    private let administration: Administration
    private let shares: [SecretBytes]

    init() throws {
        directory = try TemporaryDirectory()
        let state = StateDirectory(directory("state"))
        try state.createAuthority(hostNames: ["localhost"])
        let administration = try Administration(state)
        self.administration = administration
        shares = try Self.made { count, deliver throws(KeyServerError) in
            try administration.initializeSeal(count, deliver: deliver)
        }
    }

    /// Three shares, of which two open the store.
    private static func made(
        _ make: (ShareCount, ([UnsealShare]) -> Void) throws(KeyServerError) -> Void
    ) throws -> [SecretBytes] {
        var texts: [SecretBytes] = []
        try make(try ShareCount(shares: 3, threshold: 2)) { made in texts = made.map(\.text) }
        return texts
    }

    private func text(_ share: SecretBytes) -> String {
        share.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
    }

    private func secret(_ text: String) -> SecretBytes { SecretBytes(copying: text.utf8) }

    @Test func `opens the store with another one, and not alone`() throws {
        for pair in [[0, 1], [2, 0], [1, 2]] {
            let root = try administration.rootKey(ofShares: pair.map { shares[$0] })
            _ = try administration.openVault(root)
        }
        #expect(throws: KeyServerError.share(.tooFew(have: 1, need: 2))) {
            try administration.rootKey(ofShares: [shares[0]])
        }
    }

    @Test func `is read as it was printed, with space around it, in capitals`() throws {
        let printed = text(shares[0])
        #expect(printed.wholeMatch(of: /sss1-[0-9a-f]{8}-1-2(-[0-9a-f]{8}){9}/) != nil)
        for typed in [printed, "  \(printed)\r\n", printed.uppercased()] {
            let share = try UnsealShare(secret(typed))
            #expect(share.text.isEqual(to: shares[0]))
            #expect(share.index == 1)
            #expect(share.threshold == 2)
        }
    }

    @Test func `is known for mistyped, wherever the mistake is`() throws {
        let printed = Array(text(shares[0]).utf8)
        for place in 5..<printed.count {
            var typed = printed
            typed[place] = typed[place] == UInt8(ascii: "0") ? UInt8(ascii: "1") : UInt8(ascii: "0")
            #expect(throws: ShareFault.checksum, "\(place)") {
                try UnsealShare(SecretBytes(copying: typed))
            }
            #expect(throws: ShareFault.checksum) {
                try UnsealShare(SecretBytes(copying: printed[..<place]))
            }
        }
        let other = [UInt8](repeating: UInt8(ascii: "-"), count: 100_000)
        for text in ["", "ssk1_abc", "sss1", " ", String(decoding: other, as: UTF8.self)] {
            #expect(throws: ShareFault.form, "\(text.prefix(20))") { try UnsealShare(secret(text)) }
        }
    }

    @Test func `is named for what it is where it does not belong`() throws {
        let elsewhere = try `A share`()
        #expect(throws: KeyServerError.share(.foreign(set: try set(of: elsewhere.shares[0])))) {
            try administration.rootKey(ofShares: [elsewhere.shares[0]])
        }
        #expect(throws: KeyServerError.share(.duplicate(index: 3))) {
            try administration.rootKey(ofShares: [shares[2], shares[2]])
        }
        let root = try administration.rootKey(ofShares: [shares[0], shares[1]])
        let later = try Self.made { count, deliver throws(KeyServerError) in
            try administration.changeRootKey(from: root, to: count, deliver: deliver)
        }
        #expect {
            try administration.rootKey(ofShares: [later[0], shares[1]])
        } throws: { error in
            guard case .share(.old(let set, _)) = error as? KeyServerError else { return false }
            return set == (try? self.set(of: shares[0]))
        }
        _ = try administration.openVault(administration.rootKey(ofShares: [later[2], later[1]]))
        #expect(throws: KeyServerError.wrongRootKey) { try administration.openVault(root) }
        // Under a root key again.
        let plain = try RootKey(secret("a passphrase"))
        let shared = try administration.rootKey(ofShares: [later[0], later[1]])
        try administration.changeRootKey(from: shared, to: plain)
        #expect(try administration.shareSet() == nil)
        #expect {
            try administration.rootKey(ofShares: [later[0], later[1]])
        } throws: { error in
            guard case .share(.old) = error as? KeyServerError else { return false }
            return true
        }
    }

    private func set(of share: SecretBytes) throws -> String { try UnsealShare(share).set }

    @Test func `that was made up opens nothing, with whatever right ones`() throws {
        let right = try UnsealShare(shares[0])
        let forged = UnsealShare(
            set: right.set,
            threshold: 2,
            SecretSharing.Share(index: 2, bytes: .random(count: 32))
        )
        #expect(throws: KeyServerError.wrongShares) {
            try administration.rootKey(ofShares: [shares[0], forged.text])
        }
        let lower = UnsealShare(set: right.set, threshold: 1, right.share)
        #expect(throws: KeyServerError.share(.altered)) {
            try administration.rootKey(ofShares: [lower.text])
        }
    }

    @Test func `that was not handed out changes nothing`() throws {
        let root = try administration.rootKey(ofShares: [shares[0], shares[1]])
        #expect(throws: KeyServerError.noKey) {
            try administration.changeRootKey(
                from: root,
                to: ShareCount(shares: 5, threshold: 3)
            ) { _ throws(KeyServerError) in throw .noKey }
        }
        _ = try administration.openVault(root)
        #expect(try administration.shareSet()?.count.threshold == 2)
    }

    @Test(arguments: [(1, 1), (2, 1), (3, 4), (256, 2), (0, 0), (2, -1)])
    func `is not one of numbers that make no sense`(shares: Int, threshold: Int) {
        #expect(throws: KeyServerError.shareCount(shares: shares, threshold: threshold)) {
            try ShareCount(shares: shares, threshold: threshold)
        }
    }

    @Test func `is not lost where the last one cannot be recorded`() throws {
        let storage = FailingStorage(administration.storage)
        let gate = StoreGate(StateDirectory(directory("state")), storage: storage)
        _ = try gate.add(share: shares[0], by: "test")
        // Writing goes well for the share, and no more for what it opens.
        storage.setWrites(1)
        #expect(throws: KeyServerError.storage(reason: "full")) {
            try gate.add(share: shares[1], by: "test")
        }
        #expect(!gate.isOpen)
        guard case .collecting(have: 1, _) = try gate.standing() else {
            Issue.record("the first share is gone, or the second counts")
            return
        }
        storage.setWrites(0)
        #expect(throws: KeyServerError.storage(reason: "full")) {
            try gate.add(share: shares[2], by: "test")
        }
        storage.setWrites(.max)
        #expect(try gate.add(share: shares[1], by: "test") == .open)
        #expect(gate.isOpen && gate.forgetAt == nil)
    }

    @Test func `is forgotten after its time, when reset, and when it has served`() throws {
        let state = StateDirectory(directory("state"))
        let gate = StoreGate(state, storage: administration.storage, patience: .seconds(600))
        let have = { (count: Int) throws -> StoreGate.Standing in
            .collecting(have: count, set: try #require(try administration.shareSet()))
        }
        #expect(try gate.standing() == have(0))
        #expect(try gate.add(share: shares[0], by: "test") == have(1))
        #expect(try !gate.forgetWhatIsOver())
        #expect(throws: KeyServerError.share(.duplicate(index: 1))) {
            try gate.add(share: shares[0], by: "test")
        }
        #expect(try gate.standing() == have(1), "a refused one takes nothing away")
        try gate.reset(by: "test")
        #expect(try gate.standing() == have(0))
        #expect(try gate.add(share: shares[1], by: "test") == have(1))
        #expect(try gate.add(share: shares[2], by: "test") == .open)
        #expect(gate.isOpen)
        try gate.close(by: "test")
        #expect(try gate.standing() == have(0))
        let hasty = StoreGate(state, storage: administration.storage, patience: .zero)
        #expect(try hasty.add(share: shares[0], by: "test") == have(1))
        #expect(try hasty.forgetWhatIsOver())
        #expect(try hasty.standing() == have(0))
        let acts = try AuditTrail(administration.storage).last(100).map(\.entry)
        #expect(acts.count { $0.contains(#""act":"operator.share""#) } == 5)
        #expect(acts.count { $0.contains(#""act":"operator.unseal""#) } == 3)
        #expect(acts.count { $0.contains(#""act":"operator.seal""#) } == 1)
        // Nothing of a share in any of them.
        for share in shares {
            let data = text(share).split(separator: "-")[4...]
            #expect(!acts.contains { act in data.contains { act.contains($0) } })
        }
    }
}

/// A store in which so many transactions more can be written.
private final class FailingStorage: Storage {
    private let base: any Storage
    private let writes = Mutex(Int.max)

    init(_ base: any Storage) { self.base = base }

    func setWrites(_ count: Int) { writes.withLock { $0 = count } }

    func transaction<Result: Sendable>(
        _ access: StorageAccess,
        _ body: (any StorageTransaction) throws(KeyServerError) -> Result
    ) throws(KeyServerError) -> Result {
        let isFull = writes.withLock { writes in
            guard access == .writing, writes < .max else { return false }
            defer { writes = max(0, writes - 1) }
            return writes == 0
        }
        return try base.transaction(access) { store throws(KeyServerError) in
            let result = try body(store)
            if isFull { throw .storage(reason: "full") }
            return result
        }
    }
}
