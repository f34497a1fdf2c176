import Foundation
import TestSupport
import Testing

/// A shell of the engine's own making, `docker exec`, beside a secure-init that waits for its key.
///
/// Weakened for the control: a container with the capabilities, the system calls and the files of `/proc`
/// that the engine keeps from others.
@Suite(.requires(.docker, .executables, .tool("openssl")))
struct `A shell that the engine starts` {
    private static let intoProcesses = [Attempt.supervisor, Attempt.fetcher].flatMap { process in
        ["mem", "process_vm_readv"].map { Attempt(process, $0, .finds) }
            + [
                "environ", "maps", "mem-write", "auxv", "ptrace-attach", "ptrace-seize", "fd-list",
                "fd-open", "links",
            ].map { Attempt(process, $0, .enters) }
    }

    private static let intoMounts = [
        "mount-over", "bind-over", "fsopen", "open_tree", "setns", "bpf",
    ].map { Attempt("", $0, .enters) }

    private static let intoMachine = [":core_pattern", ":sysrq", ":kcore"]

    private static let names =
        intoProcesses.map(\.name) + intoMounts.map(\.name) + intoMachine

    @Test(arguments: intoProcesses, [EngineDevice.Shell.root, .user])
    func `gets at none of the credentials`(
        _ attempt: Attempt,
        _ shell: EngineDevice.Shell
    ) throws {
        let reports = try Self.reports.get()
        try attempt.expectRefusal(
            shell == .root ? reports.root : reports.user,
            control: reports.weakened
        )
    }

    @Test(arguments: intoMounts, [EngineDevice.Shell.root, .user])
    func `mounts nothing`(_ attempt: Attempt, _ shell: EngineDevice.Shell) throws {
        let reports = try Self.reports.get()
        try attempt.expectRefusal(
            shell == .root ? reports.root : reports.user,
            control: reports.weakened
        )
    }

    @Test(arguments: intoMachine, [EngineDevice.Shell.root, .user])
    func `changes nothing of the machine, nor reads its memory`(
        _ attempt: String,
        _ shell: EngineDevice.Shell
    ) throws {
        let reports = try Self.reports.get()
        // What this kernel was built without is refused to everybody.
        let absent = [ENOENT, ENXIO]
        let refusal = try (shell == .root ? reports.root : reports.user).result(of: attempt)
        #expect(([EPERM, EACCES, EROFS, EIO] + absent).contains(refusal), "error \(refusal)")
        let weakened = try reports.weakened.result(of: attempt)
        let isAlways = attempt == ":core_pattern"
        #expect(weakened == 0 || !isAlways && absent.contains(weakened), "control: \(weakened)")
    }

    /// As `--privileged`, which takes capabilities that an engine in a container may not have itself.
    private static let weakening =
        [
            "--cap-add", "SYS_ADMIN", "--cap-add", "SYS_PTRACE", "--device", "/dev/fuse",
        ]
        + ["seccomp=unconfined", "apparmor=unconfined", "systempaths=unconfined"].flatMap {
            ["--security-opt", $0]
        }

    private struct Reports {
        let root: Report
        let user: Report
        let weakened: Report
    }

    private static let reports = Result { () -> Reports in
        let credentials = try DeviceCredentials()
        let needles = [credentials.privateKey]
        let device = try EngineDevice(credentials)
        let weakened = try EngineDevice(credentials, options: Self.weakening)
        return Reports(
            root: try device.attack(names, from: .root, lookingFor: needles),
            user: try device.attack(names, from: .user, lookingFor: needles),
            weakened: try weakened.attack(names, from: .root, lookingFor: needles)
        )
    }
}
