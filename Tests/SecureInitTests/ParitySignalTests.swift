import Foundation
import TestSupport
import Testing

/// What becomes of signals under every init.
///
/// Where they differ the test says who does what.
@Suite(.requires(.root, .executables, .tool("tini"), .tool("dumb-init"), .tool("python3")))
struct `Signals beside tini and dumb-init` {
    private static let stops: Set<Int32> = [SIGTSTP, SIGTTIN, SIGTTOU]

    @Test(arguments: Init.allCases)
    func `are forwarded, real-time ones too`(program: Init) throws {
        let process = try program.start(Listener.alone)
        let command = try process.listeners()[0]
        let pid = try process.pid
        // Nobody sees KILL and STOP; the library's own two cannot be blocked by the listener.
        let sent = Set(Int32(1)...64).subtracting(Self.stops).subtracting([
            SIGKILL, SIGSTOP, SIGUSR2, 32, 33,
        ])
        for number in sent { kill(pid, number) }
        try process.settle(command)
        // tini leaves the marks of a program's own faults to themselves.
        let faults: Set<Int32> = [SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGSYS]
        let kept = program == .tini ? faults.union([SIGCHLD]) : [SIGCHLD]
        #expect(ProcessTree.pending(command) == sent.subtracting(kept).union([SIGUSR2]))
    }

    @Test(arguments: Init.allCases, [Int32(32), 33])
    func `of the C library's own are, but by those that ask it`(
        program: Init,
        number: Int32
    ) throws {
        let process = try program.start(Listener.mortal)
        _ = try process.listeners()
        try process.signal(number)
        guard program == .tini || program == .dumbInit else {
            #expect(try process.process.wait().status == 128 + number)
            return
        }
        try process.signal(SIGTERM)
        #expect(try process.process.wait().status == 128 + SIGTERM)
    }

    @Test(arguments: Init.allCases, stops)
    func `that stop arrive as they are, or as STOP`(program: Init, number: Int32) throws {
        let process = try program.start(Listener.alone)
        let command = try process.listeners()[0]
        try process.signal(number)
        switch program {
        case .asDumbInit, .dumbInit:
            #expect(waitUntil(timeout: 20) { ProcessTree.isStopped(command) })
            try process.signal(SIGCONT)
            #expect(waitUntil(timeout: 20) { !ProcessTree.isStopped(command) })
        case .secureInit, .asTini, .tini:
            try process.settle(command)
            // tini ignores what would stop it from the background.
            let isLost = program == .tini && number != SIGTSTP
            #expect(ProcessTree.pending(command) == (isLost ? [SIGUSR2] : [SIGUSR2, number]))
        }
    }

    @Test(arguments: Init.allCases)
    func `that stop stop the init behind the command where it is dumb-init`(
        program: Init
    ) throws {
        let process = try program.start(Listener.alone, place: .ordinary)
        let command = try process.listeners()[0]
        let pid = try process.pid
        kill(pid, SIGTSTP)
        if program == .asDumbInit || program == .dumbInit {
            #expect(waitUntil(timeout: 20) { ProcessTree.isStopped(pid) })
            #expect(waitUntil(timeout: 20) { ProcessTree.isStopped(command) })
            kill(pid, SIGCONT)
            #expect(waitUntil(timeout: 20) { !ProcessTree.isStopped(command) })
        }
        try process.settle(command)
        #expect(!ProcessTree.isStopped(pid))
        kill(command, SIGKILL)
        #expect(try process.process.wait().status == 128 + SIGKILL)
    }

    /// Who gets a signal: the first process, one of its group, one of another session.
    private func receivers(
        _ program: Init,
        _ wishes: [Init.Wish],
        _ environment: [String: String] = [:]
    ) throws -> [Bool] {
        let process = try program.start(Listener.family, granting: wishes, environment: environment)
        let family = try process.listeners(3)
        try process.settle(family[0])
        return family.map { ProcessTree.pending($0).contains(SIGUSR2) }
    }

    @Test(arguments: Init.allCases)
    func `go to the group, or to the first process only`(program: Init) throws {
        #expect(try receivers(program, [.signalsToGroup]) == [true, true, false])
        #expect(try receivers(program, [.signalsToFirst]) == [true, false, false])
        let byDefault = program == .asDumbInit || program == .dumbInit
        #expect(try receivers(program, []) == [true, byDefault, false])
    }

    @Test(arguments: Init.allCases)
    func `go to the group where a variable says so`(program: Init) throws {
        switch program {
        case .secureInit, .asTini, .tini:
            for value in ["1", "", "0"] {
                let environment = ["TINI_KILL_PROCESS_GROUP": value]
                #expect(try receivers(program, [], environment) == [true, true, false])
            }
        case .asDumbInit, .dumbInit:
            #expect(try receivers(program, [], ["DUMB_INIT_SETSID": "0"]) == [true, false, false])
            #expect(try receivers(program, [], ["DUMB_INIT_SETSID": "1"]) == [true, true, false])
        }
    }

    @Test func `go where secure-init's own options say, whatever tini's variables do`() throws {
        let tini = ["TINI_KILL_PROCESS_GROUP": "1"]
        let own = tini.merging(["SECURE_INIT_GROUP": "0"]) { $1 }
        #expect(try receivers(.secureInit, [], own) == [true, false, false])
        let process = try InitProcess(
            ["--env-only", "--group=false"] + Listener.family,
            environment: tini
        )
        let family = try process.listeners(3)
        try process.settle(family[0])
        #expect(!ProcessTree.pending(family[1]).contains(SIGUSR2))
    }

    @Test(arguments: [Init.secureInit, .asDumbInit, .dumbInit])
    func `are rewritten, or dropped`(program: Init) throws {
        let process = try program.start(
            Listener.alone,
            granting: [.rewriting("15:10"), .rewriting("2:0"), .rewriting("1:20")]
        )
        let command = try process.listeners()[0]
        for number in [SIGTERM, SIGINT, SIGHUP] { try process.signal(number) }
        try process.settle(command)
        // What a rewriting makes is not rewritten again: 20 is TSTP, not STOP.
        #expect(ProcessTree.pending(command) == [SIGUSR1, SIGTSTP, SIGUSR2])
    }

    @Test(arguments: [Init.secureInit, .asTini, .tini])
    func `of the parent's death arrive where asked for`(program: Init) throws {
        let options = try #require(program.options([.parentDeathSignal("SIGUSR1")]))
        let parent = try Subprocess.start(
            "sh",
            ["-c", "\"$@\" & wait", "sh"] + program.command + options + Listener.alone
        )
        try parent.waitForOutput(containing: "ready")
        let pid = try #require(ProcessTree.children(of: parent.pid).first)
        let command = try #require(ProcessTree.children(of: pid).first)
        defer { kill(command, SIGKILL) }
        kill(parent.pid, SIGKILL)
        #expect(waitUntil(timeout: 20) { ProcessTree.pending(command) == [SIGUSR1] })
    }

    @Test(arguments: Init.allCases)
    func `that were ignored or blocked are left so, but by dumb-init`(program: Init) throws {
        let show = ["grep", "-E", "Sig(Blk|Ign)", "/proc/self/status"]
        let plain = try Subprocess.run("sh", ["-c", "trap '' HUP; exec \"$@\"", "sh"] + show)
        let wrapped = try Subprocess.run(
            "sh",
            ["-c", "trap '' HUP; exec \"$@\"", "sh"] + program.command
                + (program.options([]) ?? []) + show
        )
        #expect((wrapped.text == plain.text) == (program != .dumbInit))
    }
}
