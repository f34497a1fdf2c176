import Foundation
import TestSupport
import Testing

@Suite(KilledRun.requirements) struct `A process that is killed` {
    @Test(arguments: Kill.all)
    func `leaves no mount, no zombie and no helper`(_ killed: Kill) throws {
        // Killed as process 1 by KILL nobody of us is left to unmount: the kernel does, with the
        // namespace, unless somebody else is in it.
        let isObliterated = killed.target == .supervisor && killed.signal == SIGKILL
        let run = try KilledRun(killed.phase, isWatched: !isObliterated)
        let namespace = run.namespace
        let target = try run.pid(of: killed.target)
        kill(target, killed.signal)
        if killed.target == .worker { run.thaw() }

        let status: Int32
        switch killed.outcome {
        case .ends(let code):
            status = code
        case .goesOn(let code):
            // The signal has been taken, whatever came of it, when a later one has. A thawed worker
            // finishes the unmount meanwhile.
            #expect(killed.phase == .unmounting || run.run.process.status == nil)
            try run.awaitAnswer(to: killed)
            try run.finish()
            status = code
        }
        let output = try run.run.process.wait(timeout: 60)
        // Of process 1 killed by KILL, unshare makes a failure of its own.
        if !isObliterated { #expect(output.status == status, "\(output.errorText)") }
        if let line = killed.line {
            let count = output.errorText.components(separatedBy: line).count - 1
            #expect(count == 1, "'\(line)' in: \(output.errorText)")
        }
        #expect(waitUntil(timeout: 20) { run.survivors.isEmpty }, "\(run.survivors)")
        if isObliterated {
            #expect(!namespace.isEmpty)
            #expect(waitUntil(timeout: 20) { !run.namespaceExists })
        } else {
            #expect(!run.isMounted)
            #expect(!run.hasSecretFiles)
        }
    }

    @Test func `as process 1 leaves its mount in a namespace others hold, so the test can fail`()
        throws
    {
        let run = try KilledRun(.running, isWatched: true)
        #expect(run.isMounted)
        #expect(run.survivors.count >= 4, "supervisor, worker, command, orphan")
        kill(run.supervisor, SIGKILL)
        #expect(waitUntil(timeout: 20) { run.survivors.isEmpty })
        #expect(run.isMounted, "dead, for whoever looks: nobody was left to unmount it")
        #expect(run.namespaceExists)
        run.stopWatching()
        #expect(waitUntil(timeout: 20) { !run.namespaceExists })
    }
}
