import Foundation
import TestSupport
import Testing

/// How every init ends, and what it leaves.
///
/// Where they differ the test says who does what.
@Suite(.requires(.root, .executables, .tool("tini"), .tool("dumb-init"), .tool("python3")))
struct `Endings beside tini and dumb-init` {
    /// Runs a command to its end.
    private func status(
        _ program: Init,
        _ command: [String],
        granting wishes: [Init.Wish] = []
    ) throws -> Int32 {
        try program.start(command, granting: wishes).process.wait().status
    }

    @Test(arguments: Init.allCases)
    func `have the command's exit code, or 128 and the signal's number`(program: Init) throws {
        for code in [0, 1, 42, 255] {
            #expect(try status(program, ["sh", "-c", "exit \(code)"]) == code)
        }
        for number in [SIGKILL, SIGSEGV, SIGTERM, 64] {
            #expect(try status(program, ["sh", "-c", "kill -\(number) $$"]) == 128 + number)
        }
    }

    @Test(arguments: Init.allCases)
    func `before the start have codes of their own`(program: Init) throws {
        let directory = try TemporaryDirectory()
        let plain = try directory.write("#!/bin/sh\n", to: "plain", mode: 0o644)
        let orphaned = try directory.write("#!/nonexistent\n", to: "orphaned", mode: 0o755)
        let bare = try directory.write("exit 4\n", to: "bare", mode: 0o755)
        let isDumb = program == .asDumbInit || program == .dumbInit
        for missing in ["nonexistent-command", "/nonexistent", orphaned] {
            #expect(try status(program, [missing]) == (isDumb ? 2 : 127))
        }
        for forbidden in [plain, directory.path] {
            #expect(try status(program, [forbidden]) == (isDumb ? 2 : 126))
        }
        // A file is no directory: nothing can be found in it, says all but tini.
        let below = try status(program, ["\(plain)/command"])
        #expect(below == (isDumb ? 2 : program == .tini ? 1 : 127))
        // A script without its first line is the shell's everywhere.
        #expect(try status(program, [bare]) == 4)
        let usage: Int32 = program == .secureInit ? 64 : 1
        #expect(try program.run([]).status == usage)
        #expect(try program.run(["--no-such-option", "true"]).status == usage)
    }

    @Test(arguments: [Init.secureInit, .asTini, .tini])
    func `are remapped where asked`(program: Init) throws {
        let wishes = [Init.Wish.remapping(143), .remapping(3)]
        #expect(try status(program, ["sh", "-c", "exit 3"], granting: wishes) == 0)
        #expect(try status(program, ["sh", "-c", "kill $$"], granting: wishes) == 0)
        #expect(try status(program, ["sh", "-c", "exit 4"], granting: wishes) == 4)
    }

    /// What is left: one that takes a while over TERM, or one that just sleeps.
    private static let slow =
        "trap 'sleep 0.3; echo written >&2; exit' TERM; echo $$ >pid; while :; do sleep 0.05; done"
    private static let sleeping = "echo $$ >pid; exec sleep 60"

    /// Leaves a process, started behind `prefix`, and ends by 9 when that has written its number.
    private static func leaving(_ left: String, _ prefix: String = "") -> [String] {
        let first = "\(prefix) sh -c \"$0\" & while [ ! -s pid ]; do sleep 0.02; done; exit 9"
        return ["sh", "-c", first, left]
    }

    /// What the process that was left wrote.
    private func pid(in directory: TemporaryDirectory) throws -> Int32 {
        let text = ProcessTree.text(directory("pid"))
        return try #require(Int32(text.trimmingCharacters(in: .newlines)))
    }

    @Test(arguments: Init.allCases)
    func `as process 1 let what is left finish, but for tini's and dumb-init's`(
        program: Init
    ) throws {
        let directory = try TemporaryDirectory()
        let output = try program.start(Self.leaving(Self.slow, "setsid"), directory: directory.path)
            .process.wait()
        #expect(output.status == 9)
        let isWaitedFor = program != .tini && program != .dumbInit
        #expect(output.errorText.contains("written") == isWaitedFor)
    }

    @Test(arguments: Init.allCases)
    func `as any process spare what left the group, but for secure-init's`(program: Init) throws {
        let directory = try TemporaryDirectory()
        let process = try program.start(
            Self.leaving(Self.sleeping, "setsid"),
            place: .ordinary,
            directory: directory.path
        ).process
        #expect(try process.wait().status == 9)
        let left = try pid(in: directory)
        // A zombie is gone, too; nobody here has to reap it at once.
        let isGone = { ProcessTree.status("State", of: left).map { $0.hasPrefix("Z") } ?? true }
        if program == .secureInit {
            #expect(waitUntil(timeout: 20, isGone))
        } else {
            #expect(!isGone())
        }
        kill(left, SIGKILL)
    }

    @Test(arguments: Init.allCases)
    func `as any process end the rest of the group, but for tini's`(program: Init) throws {
        let directory = try TemporaryDirectory()
        let process = try program.start(
            Self.leaving(Self.slow),
            place: .ordinary,
            directory: directory.path
        ).process
        #expect(try process.wait().status == 9)
        if program == .tini || program == .asTini {
            #expect(ProcessTree.exists(try pid(in: directory)))
            #expect(!process.errorText.contains("written"))
            kill(try pid(in: directory), SIGKILL)
        } else {
            // dumb-init does not wait for it: it may come after the end.
            #expect(waitUntil(timeout: 20) { process.errorText.contains("written") })
        }
    }

    @Test(arguments: Init.allCases)
    func `of orphans are seen to by who is asked to, and told where asked`(
        program: Init
    ) throws {
        let orphan = ["sh", "-c", "(sh -c 'sleep 0.2' & echo orphan $!); exec sleep 60"]
        let isTold = program != .asDumbInit && program != .dumbInit
        let process = try program.start(orphan, granting: isTold ? [.warningOnReap] : [])
        #expect(waitUntil(timeout: 20) { process.process.text.contains("orphan") })
        let pid = try #require(process.process.text.split(whereSeparator: \.isWhitespace).last)
        let init1 = try process.pid
        #expect(waitUntil(timeout: 20) { ProcessTree.children(of: init1).count == 1 })
        let isSeen = { process.process.errorText.contains("pid=\(pid)") }
        // What was written arrives here a moment later.
        #expect(isTold ? waitUntil(timeout: 20, isSeen) : !isSeen())
    }

    @Test(arguments: Init.allCases)
    func `of orphans are adopted by who is no process 1 where asked`(program: Init) throws {
        let parent = { (wishes: [Init.Wish], environment: [String: String]) in
            let process = try program.start(
                ["sh", "-c", "(sleep 60 & echo orphan $!); exec sleep 60"],
                granting: wishes,
                environment: environment,
                place: .ordinary
            )
            try process.process.waitForOutput(containing: "orphan")
            let words = process.process.text.split(whereSeparator: \.isWhitespace)
            let orphan = try #require(words.last.flatMap { Int32($0) })
            defer {
                kill(orphan, SIGKILL)
                process.process.signal(SIGTERM)
                _ = try? process.process.wait()
            }
            var parent = ""
            // Until the one between has gone.
            _ = waitUntil(timeout: 20) {
                parent = ProcessTree.status("PPid", of: orphan) ?? ""
                return Int32(parent).map(ProcessTree.name) != "sh"
            }
            return parent == "\(process.process.pid)"
        }
        switch program {
        case .secureInit:
            #expect(try parent([], [:]))
            #expect(try !parent([], ["SECURE_INIT_SUBREAPER": "no"]))
            #expect(try !parent([], ["SECURE_INIT_SUBREAPER": "no", "TINI_SUBREAPER": "1"]))
        case .asTini, .tini:
            #expect(try parent([.adoption], [:]))
            #expect(try parent([], ["TINI_SUBREAPER": ""]))
            #expect(try !parent([], [:]))
        case .asDumbInit, .dumbInit:
            #expect(try !parent([], [:]))
        }
    }
}
