import Foundation
import TestSupport
import Testing

/// secure-init where it is not process 1: nobody's end takes its mounts away but its own, or a
/// guardian's.
@Suite(KilledRun.requirements, .requires(.tool("tini")))
struct `A process that is killed below another init` {
    private let ended = "the guardian ended unexpectedly; starting it again"
    private let endedAgain =
        "the guardian ended again: killed, secure-init leaves what it mounted"

    @Test(arguments: Kill.belowAnother)
    func `leaves nothing mounted, no zombie and no helper`(_ killed: Kill) throws {
        let run = try KilledRun(killed.phase, as: .belowAnother)
        let process = run.run.process
        kill(try run.pid(of: killed.target), killed.signal)
        if killed.target == .worker { run.thaw() }
        switch killed.outcome {
        case .ends(let status):
            try process.waitForOutput(containing: "ended \(status)\n")
        case .goesOn(let status):
            #expect(killed.phase == .unmounting || ProcessTree.exists(run.supervisor))
            try run.awaitAnswer(to: killed)
            try run.finish()
            try process.waitForOutput(containing: "ended \(status)\n")
        }
        if let line = killed.line {
            let count = process.errorText.components(separatedBy: line).count - 1
            #expect(count == 1, "'\(line)' in: \(process.errorText)")
        }
        #expect(waitUntil(timeout: 20) { run.helpers.isEmpty }, "\(run.helpers)")
        #expect(waitUntil(timeout: 20) { !run.isMounted && !run.hasSecretFiles })
        // The command goes on where nobody is left to end it, as below any init.
        let isOrphaned = killed.target == .supervisor && killed.signal == SIGKILL
        #expect(isOrphaned || run.survivors.isEmpty, "\(run.survivors)")
        #expect(!run.survivors.contains(where: ProcessTree.isZombie))
    }

    @Test func `together with its guardians leaves its mounts until the next start`() throws {
        let run = try KilledRun(.running, as: .belowAnother)
        let first = run.guardians
        #expect(first.count == 2)
        for guardian in first { kill(guardian, SIGKILL) }
        try waitForLines(2, ended, in: run)
        #expect(waitUntil(timeout: 20) { run.guardians.count == 2 })
        #expect(Set(run.guardians).isDisjoint(with: first))
        for guardian in run.guardians { kill(guardian, SIGKILL) }
        try waitForLines(2, endedAgain, in: run)
        #expect(waitUntil(timeout: 20) { run.guardians.isEmpty })
        kill(run.supervisor, SIGKILL)
        #expect(waitUntil(timeout: 20) { run.helpers.isEmpty })
        // The control: so it would be without guardians.
        #expect(run.isMounted && run.hasSecretFiles)
        #expect(try secret(of: run) == Sample.plaintext)

        let next = try Self.start(after: run, ["sh", "-c", "cat $TESTVAR_FILE; ls decrypted"])
        #expect(next.status == 0, "\(next.errorText)")
        #expect(next.text == Sample.plaintext)
        #expect(!run.isMounted && !run.hasSecretFiles)
    }

    @Test func `leaves zeros to whoever still has its secret files open`() throws {
        let run = try KilledRun(.running, as: .belowAnother)
        let path = "/proc/\(run.observer)/root\(run.filesDirectory)/TESTVAR"
        let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
        #expect(try file.read(upToCount: 100) == Data(Sample.plaintext.utf8))
        kill(run.supervisor, SIGKILL)
        #expect(waitUntil(timeout: 20) { !run.hasSecretFiles })
        try file.seek(toOffset: 0)
        let count = Sample.plaintext.utf8.count
        #expect(try file.read(upToCount: 100) == Data(repeating: 0, count: count))
    }

    @Test func `leaves the mounts of who came after it`() throws {
        let run = try KilledRun(.running, as: .belowAnother)
        let guardians = run.guardians
        let held = try guardians.map { try FrozenProcess($0) }
        kill(run.supervisor, SIGKILL)
        #expect(waitUntil(timeout: 20) { run.helpers.count == guardians.count })
        // A frozen guardian still has the files locked: they are in use.
        let refused = try Self.start(after: run, ["true"])
        #expect(refused.status == 71)
        let cause = "\(run.filesDirectory) is in use by another secure-init"
        #expect(refused.errorText.contains(cause), "\(refused.errorText)")
        let script = "echo started; until [ -e go ]; do sleep 0.01; done; ls decrypted | wc -l"
        let next = try Subprocess.start(
            "nsenter",
            try Self.arguments(of: run, ["sh", "-c", script], delivering: false)
        )
        try next.waitForOutput(containing: "started")
        for process in held { process.thaw() }
        // The view is served: its guardian looks again, until its patience is over.
        try run.run.process.waitForOutput(containing: "its secret files are wiped")
        #expect(run.isMounted)
        try run.directory.write("", to: "go")
        #expect(try next.wait().status == 0)
        #expect(waitUntil(timeout: 30) { run.helpers.isEmpty })
    }

    @Test func `leaves nothing mounted where a mount spreads`() throws {
        let run = try KilledRun(.running, as: .belowAnother, wrapper: Self.spreading + ["--"])
        #expect(run.isMounted, "in the other mount namespace, too")
        kill(run.supervisor, SIGKILL)
        #expect(waitUntil(timeout: 20) { run.helpers.isEmpty && !run.isMounted })
    }

    @Test func `as process 1 leaves a mount that has spread until the next start`() throws {
        let run = try KilledRun(
            .running,
            as: .belowAnother,
            wrapper: Self.spreading + ["--pid", "--fork", "--kill-child=KILL", "--"]
        )
        #expect(run.guardians.isEmpty, "the kernel would end them with it")
        kill(run.supervisor, SIGKILL)
        #expect(waitUntil(timeout: 20) { run.survivors.isEmpty })
        #expect(run.isMounted, "by then nobody of its namespace is left")
        let next = try Self.start(after: run, ["ls", "decrypted"])
        #expect(next.status == 0, "\(next.errorText)")
        #expect(!run.isMounted)
    }

    @Test func `though its guardian was stopped leaves nothing mounted`() throws {
        let run = try KilledRun(.running, as: .belowAnother)
        func switches(_ pid: Int32) -> String? {
            ProcessTree.status("voluntary_ctxt_switches", of: pid)
        }
        let before = run.guardians.map(switches)
        for guardian in run.guardians { kill(guardian, SIGSTOP) }
        // It stopped, and does not any more.
        #expect(
            waitUntil(timeout: 20) {
                zip(run.guardians, before).allSatisfy { switches($0) != $1 }
                    && !run.guardians.contains(where: ProcessTree.isStopped)
            }
        )
        kill(run.supervisor, SIGKILL)
        #expect(waitUntil(timeout: 20) { !run.isMounted && !run.hasSecretFiles })
    }

    /// A mount namespace of its own that shares the directory with the one around it.
    private static let spreading = [
        "sh", "-c",
        "mount --bind \"$PWD\" \"$PWD\"; mount --make-shared \"$PWD\"; cd \"$PWD\"; "
            + "exec unshare --mount --propagation unchanged \"$@\"",
        "sh",
    ]

    private func waitForLines(_ count: Int, _ line: String, in run: KilledRun) throws {
        #expect(
            waitUntil(timeout: 20) {
                run.run.process.errorText.components(separatedBy: line).count == count + 1
            },
            "\(run.run.process.errorText)"
        )
    }

    /// What is in the secret file by now.
    private func secret(of run: KilledRun) throws -> String {
        ProcessTree.text("/proc/\(run.observer)/root\(run.filesDirectory)/TESTVAR")
    }

    /// The arguments of nsenter with which secure-init starts again, where it was.
    private static func arguments(
        of run: KilledRun,
        _ command: [String],
        delivering: Bool = true
    ) throws -> [String] {
        let place = [
            "--target=\(try run.run.outerInit)", "--pid", "--mount",
            "sh", "-c", "cd \"$0\" && exec \"$@\"", run.directory.path,
        ]
        let options = delivering ? ["--deliver", "file", "--deliver-dir", run.filesDirectory] : []
        let program = [Executables.secureInit, "--key-source", "file:\(run.directory("key"))"]
        return place + ["env", "ENCRYPTED_TESTVAR=\(Sample.value)"] + program + options + command
    }

    private static func start(
        after run: KilledRun,
        _ command: [String]
    ) throws -> Subprocess.Output {
        try Subprocess.run("nsenter", try arguments(of: run, command))
    }
}
