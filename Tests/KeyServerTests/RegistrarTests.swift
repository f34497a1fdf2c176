import AccessRules
import Cryptography
import Foundation
import KeyProtocol
import TestSupport
import Testing

@testable import KeyServer

@Suite(.requires(.tool("openssl"))) struct `A registrar` {
    private let directory: TemporaryDirectory
    private let administration: Administration
    private let clock = Clock()
    private let here = IPAddress("192.0.2.7")

    /// A clock that tests set.
    private final class Clock: Sendable {
        // Tests of this suite have one each, and use it on one thread.
        nonisolated(unsafe) var now = Timestamp.now
    }

    init() throws {
        directory = try TemporaryDirectory()
        let state = StateDirectory(directory("state"))
        try state.createAuthority(hostNames: ["localhost"])
        administration = try Administration(state)
    }

    private func registrar(addresses: AddressPolicy = AddressPolicy()) throws -> Registrar {
        try Registrar(
            storage: administration.storage,
            authority: administration.state.authority(),
            policy: ReleasePolicy(addresses: addresses, keyNames: []),
            now: { [clock] in clock.now }
        )
    }

    private func token(
        _ name: String,
        _ change: (inout NewEnrolment) -> Void = { _ in }
    ) throws
        -> EnrolmentToken
    {
        var enrolment = NewEnrolment(name: try EnrolmentName(name))
        change(&enrolment)
        return try administration.addEnrolmentToken(enrolment).token
    }

    /// A request that openssl makes, for a key of its own.
    private func request(_ name: String, _ more: [String] = []) throws -> SigningRequest {
        try SigningRequest(pem: requestText(name, more))
    }

    private func requestText(_ name: String, _ more: [String] = []) throws -> String {
        let output = try Subprocess.run(
            "openssl",
            [
                "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-subj", "/CN=\(name)", "-keyout", directory("\(name).key"),
            ] + more
        )
        try #require(output.status == 0, "\(output.errorText)")
        return output.text
    }

    private func certificate(_ outcome: Registrar.Outcome) throws -> CertificateAnswer {
        guard case .issued(let answer, _) = outcome else {
            throw KeyServerError.stopped(reason: "refused: \(outcome)")
        }
        return answer
    }

    private func refusal(_ outcome: Registrar.Outcome) -> RegistrationRefusal? {
        guard case .refused(let refusal, _, _) = outcome else { return nil }
        return refusal
    }

    private func entries(_ act: String) throws -> [String] {
        var entries: [String] = []
        for record in try AuditTrail(administration.storage).last(100_000) {
            if record.entry.contains("\"act\":\"\(act)\"") { entries.append(record.entry) }
        }
        return entries
    }

    @Test func `gives what the token says, and nothing of what the request asks for`() throws {
        let token = try token("shop-{n}") {
            $0.fleet = try? Label("shops")
            $0.tags = [try? Label("north")].compactMap { $0 }
            $0.uses = 2
        }
        let greedy = try request(
            "root",
            [
                "-addext", "subjectAltName=DNS:key-server,IP:192.0.2.1", "-addext",
                "extendedKeyUsage=serverAuth", "-addext", "basicConstraints=critical,CA:TRUE",
            ]
        )
        let answer = try certificate(registrar().enroll(token, greedy, from: here))
        #expect(answer.device == "shop-1")
        try directory.write(answer.certificate, to: "cert.pem")
        try directory.write(answer.authority, to: "ca.pem")
        let text = try Subprocess.run(
            "openssl",
            ["x509", "-in", directory("cert.pem"), "-noout", "-text"]
        ).text
        #expect(text.contains("Subject: CN = shop-1"))
        #expect(text.contains("DNS:shop-1\n"))
        #expect(!text.contains("key-server") && !text.contains("Server Authentication"))
        #expect(text.contains("CA:FALSE"))
        for (purpose, isGood) in [("sslclient", true), ("sslserver", false)] {
            let verified = try Subprocess.run(
                "openssl",
                [
                    "verify", "-x509_strict", "-purpose", purpose, "-CAfile", directory("ca.pem"),
                    directory("cert.pem"),
                ]
            )
            #expect((verified.status == 0) == isGood, "\(purpose)")
        }
        let listing = try administration.showDevice("shop-1")
        #expect(listing.device.fleet == "shops")
        #expect(listing.device.tags == ["north"])
        // The next gets the next number, and then the token is used up.
        let second = try registrar().enroll(token, request("b"), from: here)
        #expect(try certificate(second).device == "shop-2")
        #expect(refusal(try registrar().enroll(token, request("c"), from: here)) == .tokenUsed)
        #expect(try entries("device.enroll").count == 3)
    }

    @Test func `gives the same answer to the same key once more, and uses nothing up`() throws {
        let token = try token("kiosk")
        let first = try request("kiosk")
        let answer = try certificate(registrar().enroll(token, first, from: here))
        // Also when the token's time is over: the device may have been off meanwhile.
        clock.now = Timestamp(seconds: clock.now.seconds + 90_000)
        #expect(try certificate(registrar().enroll(token, first, from: here)) == answer)
        let other = try registrar().enroll(token, request("thief"), from: here)
        #expect(refusal(other) == .tokenExpired)
        try administration.revokeDevice("kiosk")
        let refused = refusal(try registrar().enroll(token, first, from: here))
        guard case .release(.deviceRevoked) = refused else {
            Issue.record("\(String(describing: refused))")
            return
        }
    }

    @Test func `knows no token that is not there, and keeps no record of strangers`() throws {
        let real = try token("kiosk")
        let before = try AuditTrail(administration.storage).verify().count
        let stranger = EnrolmentToken(authority: real.authority)
        #expect(
            refusal(try registrar().enroll(stranger, request("a"), from: here)) == .unknownToken
        )
        #expect(refusal(try registrar().enroll(nil, request("b"), from: here)) == .unknownToken)
        // The id of a real one with another secret.
        var text = String(decoding: real.text.withUnsafeBytes { Array($0) }, as: UTF8.self)
        text.replaceSubrange(
            text.index(text.endIndex, offsetBy: -5)...,
            with: text.hasSuffix("AAAAA") ? "BBBBB" : "AAAAA"
        )
        let forged = try #require(EnrolmentToken(parsing: SecretBytes(copying: text.utf8)))
        #expect(forged.id == real.id)
        #expect(refusal(try registrar().enroll(forged, request("c"), from: here)) == .unknownToken)
        #expect(try AuditTrail(administration.storage).verify().count == before)
        // The control: what was refused to them is there to be had.
        #expect(
            try certificate(registrar().enroll(real, request("d"), from: here)).device == "kiosk"
        )
    }

    @Test func `has no use for a token before its time, after it, or after its end`() throws {
        let token = try token("shop-{key}") { $0.uses = 9 }
        let start = clock.now.seconds
        clock.now = Timestamp(seconds: start - 3600)
        #expect(
            refusal(try registrar().enroll(token, request("a"), from: here)) == .tokenFromTheFuture
        )
        clock.now = Timestamp(seconds: start + 86_500)
        #expect(refusal(try registrar().enroll(token, request("b"), from: here)) == .tokenExpired)
        // Found expired once, it stays so, whatever becomes of the clock.
        clock.now = Timestamp(seconds: start + 10)
        #expect(refusal(try registrar().enroll(token, request("c"), from: here)) == .tokenEnded)
        let revoked = try self.token("till")
        try administration.revokeEnrolmentToken(revoked.id)
        #expect(refusal(try registrar().enroll(revoked, request("d"), from: here)) == .tokenEnded)
        #expect(try administration.listDevices().isEmpty)
    }

    @Test func `gives nobody a name that is taken, unless the token says so`() throws {
        _ = try administration.addDevice(NewDevice(name: DeviceName("shop-1")), days: 30)
        let counting = try token("shop-{n}")
        let answer = try certificate(registrar().enroll(counting, request("a"), from: here))
        #expect(answer.device == "shop-2")
        #expect(throws: KeyServerError.deviceExists("shop-1")) { try token("shop-1") }
        let late = try token("till")
        _ = try administration.addDevice(NewDevice(name: DeviceName("till")), days: 30)
        let refused = try registrar().enroll(late, request("b"), from: here)
        #expect(refusal(refused) == .deviceExists(name: "till"))
        // In place of what the device had.
        let replacing = try token("till") { $0.replaces = true }
        _ = try certificate(registrar().enroll(replacing, request("c"), from: here))
        let certificates = try administration.showDevice("till").certificates
        #expect(certificates.filter { $0.revokedAt == nil }.count == 1)
        #expect(certificates.filter { $0.revokedAt == .always }.count == 1)
    }

    @Test func `asks where the request comes from, and whether the store is shut`() throws {
        let token = try token("kiosk") { $0.fleet = try? Label("shops") }
        let outside = try registrar(
            addresses: AddressPolicy(allowed: [CIDRBlock(parsing: "198.51.100.0/24")])
        )
        #expect(
            refusal(try outside.enroll(token, request("a"), from: here))
                == .release(.addressNotAllowed)
        )
        #expect(
            refusal(try registrar().enroll(token, request("b"), from: nil))
                == .release(.addressUnknown)
        )
        try administration.setPolicy(
            RuleSet(parsing: "deny 192.0.2.0/24"),
            of: .devices(.fleet("shops"))
        )
        #expect(
            refusal(try registrar().enroll(token, request("c"), from: here))?.code
                == "address_denied"
        )
        try administration.removePolicy(of: .devices(.fleet("shops")))
        try administration.lockDown(reason: "")
        let locked = refusal(try registrar().enroll(token, request("d"), from: here))
        #expect(locked?.code == "lockdown")
        #expect(locked?.retryAfter != nil)
        try administration.liftLockdown()
        #expect(
            try certificate(registrar().enroll(token, request("e"), from: here)).device == "kiosk"
        )
    }

    @Test func `renews for the one that shows a living certificate, and bounds what it makes`()
        throws
    {
        let token = try token("kiosk") { $0.days = 30 }
        let asked = try request("kiosk")
        let first = try certificate(registrar().enroll(token, asked, from: here))
        let shown = try info(first)
        // The same key: the same certificate again, as long as that has most of its time.
        clock.now = Timestamp(seconds: clock.now.seconds + 25 * 86_400)
        let renewed = try certificate(renew(shown, asked))
        #expect(renewed.certificate != first.certificate)
        let again = try certificate(renew(shown, asked))
        #expect(try info(again).fingerprint == info(renewed).fingerprint)
        for number in 0..<Registrar.maximumCertificates {
            let outcome = try renew(shown, request("k\(number)"))
            guard number < Registrar.maximumCertificates - 2 else {
                #expect(refusal(outcome) == .tooManyCertificates)
                continue
            }
            _ = try certificate(outcome)
        }
        // One that was replaced, be it with an overlap, is not a way to another.
        _ = try administration.rotateDevice(DeviceName("kiosk"), days: 30, overlap: 3600)
        #expect(refusal(try renew(shown, asked)) == .notRenewable)
        #expect(try entries("device.renew").count == 1 + Registrar.maximumCertificates + 1)
    }

    private func renew(
        _ shown: CertificateInfo,
        _ request: SigningRequest
    ) throws -> Registrar.Outcome {
        try registrar().renew(shown.fingerprint, named: shown.name, request, from: here)
    }

    private func info(_ answer: CertificateAnswer) throws -> CertificateInfo {
        try CertificateInfo(pem: SecretBytes(copying: answer.certificate.utf8), source: "")
    }

    @Test func `certifies a key of the right kind, and of who holds it`() throws {
        for (arguments, reason) in [
            (["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384"], "not ECDSA P-256"),
            (["-newkey", "rsa:2048"], "not ECDSA P-256"),
        ] {
            let text = try Subprocess.run(
                "openssl",
                ["req", "-new", "-nodes", "-subj", "/CN=x", "-keyout", directory("x")] + arguments
            ).text
            #expect { try SigningRequest(pem: text) } throws: { "\($0)".contains(reason) }
        }
        // A signature that is another request's: the last line but one holds a part of it.
        let text = try requestText("kiosk")
        var lines = text.split(separator: "\n").map(String.init)
        let other = try requestText("other").split(separator: "\n").map(String.init)
        lines[lines.count - 2] = other[other.count - 2]
        #expect(throws: KeyServerError.self) {
            try SigningRequest(pem: lines.joined(separator: "\n") + "\n")
        }
        for text in [
            "", "x",
            "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n",
        ] {
            #expect(throws: KeyServerError.signingRequest(reason: "is no PKCS#10 in PEM")) {
                try SigningRequest(pem: text)
            }
        }
    }
}
