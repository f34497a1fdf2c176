import Foundation
import TestSupport
import Testing

/// secure-init called by another init's name: its command line, its environment, what it says.
@Suite(.requires(.root, .executables, .tool("tini"), .tool("dumb-init")))
struct `Under another's name` {
    /// Command lines that end alike: status, and which of the two streams something is written to.
    private func expectAlike(
        _ ours: Init,
        _ original: Init,
        _ arguments: [String],
        _ environment: [String: String] = [:]
    ) throws {
        let one = try ours.run(arguments, environment: environment)
        let other = try original.run(arguments, environment: environment)
        #expect(one.status == other.status, "\(arguments)")
        #expect(one.standardError.isEmpty == other.standardError.isEmpty, "\(arguments)")
        #expect(one.standardOutput.isEmpty == other.standardOutput.isEmpty, "\(arguments)")
        guard arguments.contains("echo") else { return }
        #expect(one.text == other.text, "\(arguments)")
    }

    @Test(
        arguments: [
            [], ["-h"], ["--version"], ["-l"], ["--version", "-v"], ["-x"], ["-hx"], ["-xh"],
            ["-p"], ["-p", "SIGNOT", "true"], ["-pSIGKILL", "true"], ["-e", "256", "true"],
            ["-e", "x", "true"], ["-e3", "sh", "--", "-c", "exit 3"], ["-e"], ["--"],
            ["echo", "a", "b"], ["--", "echo", "-g"], ["echo", "-g", "a"], ["echo", "--", "-l"],
            ["-gws", "echo", "a"], ["-", "a"], ["echo", "-", "--", "--"], ["-nonsense"],
        ] as [[String]]
    )
    func `tini's command line is read as tini reads it`(arguments: [String]) throws {
        try expectAlike(.asTini, .tini, arguments)
        try expectAlike(.asTini, .tini, arguments, ["POSIXLY_CORRECT": "1"])
    }

    @Test(
        arguments: [
            [], ["-h"], ["--help"], ["--he"], ["-V"], ["--version"], ["-x"], ["--nonsense"],
            ["--ver"], ["--verb", "echo", "a"], ["-r"], ["--rewrite"], ["-r", "15", "true"],
            ["-r", "x:y", "true"], ["-r", "", "true"], ["-r", "15:3", "echo", "a"],
            ["--rewrite=15:3", "echo", "a"], ["-r15:0", "echo", "a"], ["--help=yes"],
            ["-cv", "echo", "a"], ["echo", "-c", "--help"], ["--", "echo", "--"], ["--"],
            ["--single-child", "echo", "a"],
        ] as [[String]]
    )
    func `dumb-init's command line is read as dumb-init reads it`(arguments: [String]) throws {
        try expectAlike(.asDumbInit, .dumbInit, arguments)
    }

    @Test(
        arguments: [
            (Init.asTini, Init.tini, ["-p", "TERM", "true"]),
            (.asTini, .tini, ["-p", "SIGRTMIN+3", "true"]),
            (.asDumbInit, .dumbInit, ["-r", "TERM:QUIT", "true"]),
            (.asDumbInit, .dumbInit, ["-r", "15:40", "true"]),
        ]
    )
    func `a signal may be written as secure-init has it`(
        ours: Init,
        original: Init,
        arguments: [String]
    ) throws {
        #expect(try ours.run(arguments).status == 0)
        #expect(try original.run(arguments).status == 1)
    }

    @Test(arguments: [Init.asTini, .tini, .asDumbInit, .dumbInit])
    func `the environment is the command's, untouched and unread`(program: Init) throws {
        let environment = [
            "ENCRYPTED_X": "no ciphertext", "X": "plain", "MTLS_KEY": "a", "STORE_TOKEN": "b",
            "SECURE_INIT_KEY_SOURCE": "file:/nonexistent", "SECURE_INIT_NONSENSE": "1",
            "TINI_SUBREAPER": "1", "TINI_VERBOSITY": "0", "DUMB_INIT_SETSID": "0",
        ]
        let output = try program.start(["/usr/bin/env"], environment: environment).process.wait()
        #expect(output.status == 0)
        let lines = output.text.split(separator: "\n").map(String.init)
        #expect(lines.contains { $0.hasPrefix("PATH=") })
        // Its own are bash's, through which ours is called by the name.
        let own = ["PATH=", "PWD=", "SHLVL=", "_=", "OLDPWD="]
        let inherited = lines.filter { line in !own.contains { line.hasPrefix($0) } }
        #expect(inherited.sorted() == environment.map { "\($0.key)=\($0.value)" }.sorted())
    }

    @Test(arguments: Init.allCases)
    func `the kernel shows the environment of process 1, but not secure-init's`(
        program: Init
    ) throws {
        let process = try program.start(
            ["sh", "-c", "echo started; exec sleep 60"],
            environment: ["ORDINARY": "sentinel-7d10"]
        )
        try process.process.waitForOutput(containing: "started")
        let shown = ProcessTree.text("/proc/\(try process.pid)/environ")
        #expect(shown.contains("sentinel-7d10") == (program != .secureInit))
    }

    @Test(arguments: Init.allCases)
    func `the command keeps its capabilities, but under secure-init's own name`(
        program: Init
    ) throws {
        let show = ["grep", "Cap", "/proc/self/status"]
        let plain = try Subprocess.run(show[0], Array(show.dropFirst()))
        let output = try program.start(show).process.wait()
        #expect((output.text == plain.text) == (program != .secureInit))
    }

    @Test(arguments: Init.allCases)
    func `the root is where the init waits, but for tini`(program: Init) throws {
        let directory = try TemporaryDirectory()
        let process = try program.start(
            ["sh", "-c", "pwd; exec sleep 60"],
            directory: directory.path
        )
        // The command is where it was started.
        try process.process.waitForOutput(containing: directory.path)
        let link = "/proc/\(try process.pid)/cwd"
        let place = { try? FileManager.default.destinationOfSymbolicLink(atPath: link) }
        if program == .tini {
            #expect(place() == directory.path)
        } else {
            #expect(waitUntil(timeout: 20) { place() == "/" })
        }
    }

    @Test(arguments: Init.allCases)
    func `the command leads a session under dumb-init, else a process group`(
        program: Init
    ) throws {
        let show = ["sh", "-c", "cut -d' ' -f1,5,6 /proc/$$/stat"]
        let fields = try program.start(show).process.wait().text
            .split(whereSeparator: \.isWhitespace)
        #expect(fields.count == 3)
        #expect(fields[0] == fields[1])
        #expect((fields[0] == fields[2]) == (program == .dumbInit))
    }

    @Test func `Docker's init answers the question for its version as Docker reads it`() throws {
        let output = try Subprocess.run(
            "bash",
            ["-c", "exec -a /sbin/docker-init \"$0\" --version", Executables.secureInit]
        )
        // The daemon takes what is between these words and " - ".
        #expect(output.text.hasPrefix("tini version 0.19.0 - "))
    }

    @Test(arguments: [Init.secureInit, .asTini])
    func `TINI_VERBOSITY says how much is said`(program: Init) throws {
        let lines = { (level: String, more: [String: String]) in
            let environment = more.merging(["TINI_VERBOSITY": level]) { $1 }
            return try program.start(["true"], environment: environment).process.wait().errorText
        }
        for level in ["", "0", "1", "nonsense"] { #expect(try lines(level, [:]).isEmpty) }
        for level in ["2", "3"] { #expect(try lines(level, [:]).contains("command started")) }
        let own = try lines("0", ["SECURE_INIT_LOG_LEVEL": "info"])
        #expect(own.contains("command started") == (program == .secureInit), "its own wins")
    }
}
