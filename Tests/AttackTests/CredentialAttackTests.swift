import Foundation
import TestSupport
import Testing

/// The device's certificate, its private key and its token, while secure-init waits for the key: the
/// supervisor and the fetcher hold them.
///
/// Weakened for the control: a shell with every capability of the machine.
@Suite(.requires(.root, .executables, .tool("openssl"), .tool("setpriv"), .tool("nsenter")))
struct `The credentials of a waiting device` {
    private static let attempts =
        Attempt.into(Attempt.supervisor, memory: .finds)
        + Attempt.into(Attempt.fetcher, memory: .finds)

    @Test(arguments: attempts, [Device.Shell.root, .user])
    func `are out of a shell's reach`(_ attempt: Attempt, _ shell: Device.Shell) throws {
        let reports = try Self.reports.get()
        try attempt.expectRefusal(
            shell == .root ? reports.root : reports.user,
            control: reports.unlimited
        )
    }

    /// Docker itself gives a shell the container's variables: nothing of ours can take them back.
    @Test func `lie open to a shell where they are variables of the container`() throws {
        let needle = Array("token-3be71d".utf8)
        let output = try Subprocess.run(
            Attacker.program,
            Attacker.arguments([":own-environ"], lookingFor: [needle]),
            environment: ["STORE_TOKEN": "token-3be71d"]
        )
        #expect(try Report(output.text).result(of: ":own-environ") == 0)
    }

    private static let reports = Result { () -> (root: Report, user: Report, unlimited: Report) in
        let waiting = try WaitingDevice()
        func report(_ shell: Device.Shell) throws -> Report {
            try waiting.device.attack(
                attempts.map(\.name),
                from: shell,
                lookingFor: [waiting.credentials.privateKey]
            )
        }
        let reports = (try report(.root), try report(.user), try report(.unlimited))
        try waiting.device.stop()
        return reports
    }
}
