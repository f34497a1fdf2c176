import KeyServer
import Linux
import Testing

@testable import secure_store

@Suite struct `The doctor's judgement` {
    @Test(arguments: [
        ("4.19.0-21-amd64", Check.Outcome.ok), ("6.1.0", .ok), ("10.0", .ok), ("5.4-rpi", .ok),
        ("4.18.9", .failure), ("3.99.0", .failure), ("", .warning), ("linux", .warning),
    ])
    func `of a kernel`(release: String, outcome: Check.Outcome) {
        #expect(MachineChecks.kernel(release: release).outcome == outcome)
    }

    @Test(arguments: [
        (Int32(2), "modprobe fuse"), (1, "--device /dev/fuse"), (13, "start as root"),
        (19, "modprobe fuse"), (5, "--device /dev/fuse"),
    ])
    func `of a FUSE device that cannot be opened says how to get it`(errno: Int32, fix: String) {
        let check = MachineChecks.fuse(Errno(rawValue: errno))
        #expect(check.outcome == .failure)
        #expect(check.fix?.contains(fix) == true)
    }

    @Test func `of a FUSE device that opens is good`() {
        #expect(MachineChecks.fuse(nil).outcome == .ok)
    }

    @Test func `of capabilities names the flag and the way without`() {
        let missing = MachineChecks.capability([.changeOwner, .setUser])
        #expect(missing.outcome == .failure)
        #expect(missing.fix?.contains("--cap-add SYS_ADMIN") == true)
        #expect(missing.fix?.contains("--env-only") == true)
        #expect(MachineChecks.capability(.all).outcome == .ok)
    }

    @Test(arguments: [
        (nil, Check.Outcome.ok), ("unconfined", .ok), ("", .ok),
        ("docker-default (complain)", .ok), ("docker-default (enforce)", .failure),
        ("my-profile (enforce)", .warning),
    ])
    func `of AppArmor`(profile: String?, outcome: Check.Outcome) {
        let check = MachineChecks.appArmor(profile)
        #expect(check.outcome == outcome)
        #expect((check.fix?.contains("apparmor=unconfined") ?? false) == (outcome != .ok))
    }

    @Test func `of a clock that starts in 1970`() {
        #expect(MachineChecks.clock(Timestamp(seconds: 100)).outcome == .failure)
        #expect(MachineChecks.clock(Timestamp(seconds: 1_800_000_000)).outcome == .ok)
    }

    @Test(arguments: [
        (0, Check.Outcome.ok), (300, .ok), (-300, .ok), (301, .warning), (-301, .warning),
    ])
    func `of two clocks`(difference: Int, outcome: Check.Outcome) {
        let theirs = Timestamp(seconds: 1_800_000_000)
        let ours = Timestamp(seconds: theirs.seconds + difference)
        let check = ServerChecks.clocks(theirs.httpDate, now: ours)
        #expect(check.outcome == outcome)
        if outcome == .warning {
            #expect(check.found.contains(difference > 0 ? "ahead of" : "behind"))
        }
        #expect(ServerChecks.clocks(nil).outcome == .skipped)
        #expect(ServerChecks.clocks("yesterday").outcome == .skipped)
    }

    @Test(arguments: [
        (-2, Check.Outcome.failure), (0, .ok), (334, .ok), (336, .warning),
        (365, .warning), (367, .failure),
    ])
    func `of a certificate's dates`(day: Int, outcome: Check.Outcome) throws {
        let state = try IssuedDevice()
        let now = Timestamp(seconds: Timestamp.now.seconds + day * 86_400)
        let check = CertificateChecks.dates("certificate", state.info, now: now, renewal: "again")
        #expect(check.outcome == outcome)
    }
}

/// A certificate for 365 days from now, and from a day before.
private struct IssuedDevice {
    let info: CertificateInfo

    init() throws {
        let authority = try CertificateAuthority.make()
        let issued = try authority.issueDeviceCertificate(DeviceName("a"), days: 365)
        info = try CertificateInfo(pem: issued.certificatePEM, source: "test")
    }
}
