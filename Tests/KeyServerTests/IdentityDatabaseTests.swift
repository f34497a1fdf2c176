import AccessRules
import Cryptography
import KeyProtocol
import TestSupport
import Testing

@testable import KeyServer

@Suite(.requires(.tool("openssl"))) struct `Enrolment and tokens` {
    private let here = IPAddress("192.0.2.7")

    @Test(arguments: TestDatabase.allCases)
    func `are the same in every database, for two servers of one`(
        database: TestDatabase
    ) async throws {
        let store = try TestStore(database)
        let administration = try store.administration()
        let root = try RootKey(StoreKey.generate().text)
        try administration.initializeSeal(root)
        let vault = try administration.openVault(root)
        try administration.addKey("default", StoreKey.generate(), vault: vault)
        try administration.addGrant(ofKey: "default", to: .fleet("shops"))

        // One server takes the token, the other knows that it has been taken.
        let policy = ReleasePolicy(addresses: AddressPolicy(), keyNames: [])
        let servers = try (0..<2).map { _ in
            try Registrar(
                storage: store.storage(),
                authority: store.state.authority(),
                policy: policy
            )
        }
        var enrolment = NewEnrolment(name: try EnrolmentName("shop-{n}"))
        enrolment.fleet = try Label("shops")
        let token = try administration.addEnrolmentToken(enrolment).token
        let request = try request(store.directory)
        guard
            case .issued(let answer, _) = try servers[0].enroll(token, request, from: here),
            case .issued(let again, _) = try servers[1].enroll(token, request, from: here)
        else {
            Issue.record("refused")
            return
        }
        #expect(answer == again)
        let other = try self.request(store.directory)
        guard case .refused(.tokenUsed, _, _) = try servers[1].enroll(token, other, from: here)
        else {
            Issue.record("a second use")
            return
        }
        let info = try CertificateInfo(
            pem: SecretBytes(copying: answer.certificate.utf8),
            source: ""
        )
        guard
            case .issued = try servers[1].renew(info.fingerprint, named: "", other, from: here)
        else {
            Issue.record("not renewed")
            return
        }
        #expect(try administration.listEnrolmentTokens().map(\.uses) == [1])

        // A token of the one server's is good at the other, and revoked for both.
        let new = NewToken(device: NewDevice(name: try DeviceName("shop-1")), keys: ["default"])
        let (text, record) = try administration.addToken(new, vault)
        for decides in [true, false] {
            let storage = try store.storage()
            let signer = TokenSigner(storage, try administration.openVault(root))
            var request = ReleaseRequest(
                device: "",
                token: try signer.verify(text),
                address: here,
                keyNames: ["default"]
            )
            request.takesToken = true
            let now = Timestamp(seconds: record.expiresAt.seconds - 10)
            let ledger = ReleaseLedger(storage: storage, policy: policy, now: { now })
            let outcome = try await ledger.decide(request)
            #expect((outcome.decision == .granted) == decides)
            #expect((outcome.renewal != nil) == decides)
            if decides { try administration.revokeToken(record.id) }
        }
        #expect(try administration.listTokens(ofDevice: "shop-1").count == 2)
        try administration.removeDevice("shop-1")
        #expect(try administration.listTokens().isEmpty)
        #expect(try AuditTrail(administration.storage).verify().broken == nil)
    }

    /// A request for a key of its own.
    private func request(_ directory: TemporaryDirectory) throws -> SigningRequest {
        let output = try Subprocess.run(
            "openssl",
            [
                "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-subj", "/CN=x", "-keyout", directory("x.key"),
            ]
        )
        try #require(output.status == 0, "\(output.errorText)")
        return try SigningRequest(pem: output.text)
    }
}
