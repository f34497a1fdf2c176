import Foundation
import TestSupport
import Testing

/// Every init between a person and a program, on a pseudo-terminal.
///
/// Where they differ the test says who does what.
@Suite(.requires(.root, .executables, .tool("tini"), .tool("dumb-init"), .tool("python3")))
struct `A terminal beside tini and dumb-init` {
    /// Types into a program on a pseudo-terminal: pairs of what to do and what must then appear.
    ///
    /// `size R C` changes the size instead of typing, `stopped NAME` waits until the program of that
    /// name has stopped. What begins with `!` must not appear, for a second.
    /// What appeared behind it is the next step's: a shell is typed to once its prompt is there.
    private static let typist = """
        import fcntl, os, pty, select, struct, sys, termios, time
        pid, terminal = pty.fork()
        steps = sys.argv.index("--typing")
        if pid == 0: os.execvp(sys.argv[1], sys.argv[1:steps])
        def processes():
            for entry in filter(str.isdigit, os.listdir("/proc")):
                try: name, _, state = open(f"/proc/{entry}/stat").read().partition("(")[2].rpartition(")")
                except OSError: continue
                yield int(entry), name, state.split()[0], int(state.split()[1])
        def has_stopped(wanted):
            family, before, found = {pid}, 0, list(processes())
            while len(family) > before:
                before = len(family)
                family |= {process for process, _, _, parent in found if parent in family}
            return any(p in family and n == wanted and s == "T" for p, n, s, _ in found)
        def act(keys):
            if keys.startswith("size "):
                rows, columns = map(int, keys.split()[1:])
                fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("4H", rows, columns, 0, 0))
            elif keys.startswith("stopped "):
                end = time.time() + 15
                while not has_stopped(keys.split()[1]) and time.time() < end: time.sleep(0.01)
            else: os.write(terminal, keys.encode().decode("unicode_escape").encode())
        rest = b""
        def appears(wanted, patience):
            global rest
            seen, end = rest, time.time() + patience
            while wanted.encode() not in seen and time.time() < end:
                if select.select([terminal], [], [], 0.05)[0]:
                    try: seen += os.read(terminal, 4096)
                    except OSError: break
            rest = seen.partition(wanted.encode())[2]
            return wanted.encode() in seen, seen
        for keys, wanted in zip(sys.argv[steps + 1::2], sys.argv[steps + 2::2]):
            act(keys)
            found, seen = appears(wanted.lstrip("!"), 1 if wanted[0] == "!" else 15)
            if found == (wanted[0] == "!"):
                sys.exit("typed %r, wanted %r, saw %r" % (keys, wanted, seen))
        print("all seen", flush=True)
        """

    /// Does the steps, one after the other.
    private func type(_ steps: [(keys: String, seen: String)], into command: [String]) throws {
        let output = try Subprocess.run(
            "python3",
            ["-c", Self.typist] + command + ["--typing"] + steps.flatMap { [$0.keys, $0.seen] },
            environment: [
                "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "TERM": "dumb",
                "SECURE_INIT_LOG_LEVEL": "error", "TINI_VERBOSITY": "0",
            ]
        )
        #expect(output.text == "all seen\n")
        #expect(output.errorText.isEmpty)
    }

    private static let shell = ["bash", "--norc", "-i"]

    /// The init as process 1, and as the leader of the terminal's session, as under `docker run -it`.
    private func container(_ program: Init, _ command: [String]) -> [String] {
        InitProcess.namespaces + ["setsid", "--ctty"] + program.command
            + (program.options([]) ?? []) + command
    }

    @Test(arguments: Init.allCases)
    func `gives a shell under process 1 its job control`(program: Init) throws {
        try type(
            [
                ("", "# "), ("sh -c 'echo u''p; exec cat'\\n", "up"),
                ("one\\n", "one\r\none"), ("\\x1a", "Stopped"), ("", "# "), ("fg\\n", "cat"),
                ("two\\n", "two\r\ntwo"), ("\\x03", "# "),
                ("echo sta''tus $?\\n", "status 130"), ("exit 5\\n", "exit"),
            ],
            into: container(program, Self.shell)
        )
    }

    @Test(arguments: Init.allCases)
    func `tells the command its size, and interrupts and quits it`(program: Init) throws {
        let command = """
            trap 'stty size' WINCH; trap 'echo inter''rupted' INT; trap 'echo qu''it; exit' QUIT
            echo u''p; while :; do sleep 0.05; done
            """
        try type(
            [
                ("", "up"), ("size 31 77", "31 77"), ("\\x03", "interrupted"),
                ("size 32 78", "32 78"), ("\\x1c", "quit"),
            ],
            into: container(program, ["sh", "-c", command])
        )
    }

    /// What is typed into a shell to have it run a command under the init.
    private func job(_ program: Init, _ command: String) -> String {
        let words = program.command + (program.options([]) ?? [])
        return words.map { "'\($0)'" }.joined(separator: " ") + " " + command
    }

    @Test(arguments: Init.allCases)
    func `stops and continues the init with the command, but tini`(program: Init) throws {
        let job = self.job(program, "sh -c 'echo u''p; exec cat'\\n")
        let begin = [("", "# "), (job, "up"), ("one\\n", "one\r\none")]
        guard program != .tini else {
            // The command has stopped, and its init waits for it in the shell's foreground.
            try type(begin + [("\\x1a", "!Stopped")], into: Self.shell)
            return
        }
        // dumb-init stops before its command has: typed to sooner, the command would read what is the shell's.
        try type(
            begin + [
                ("\\x1a", "Stopped"), ("stopped cat", "# "), ("fg\\n", "cat"),
                ("two\\n", "two\r\ntwo"), ("\\x1a", "Stopped"), ("stopped cat", "# "),
                ("fg\\n", "cat"), ("three\\n", "three\r\nthree"), ("\\x03", "# "),
                ("echo sta''tus $?\\n", "status 130"),
            ],
            into: Self.shell
        )
    }

    @Test(.requires(.tool("strace"))) func `lets the init continue the command once`() throws {
        let directory = try TemporaryDirectory()
        let trace = directory("trace")
        let job = self.job(.secureInit, "sh -c 'echo u''p; exec cat'\\n")
        try type(
            [
                ("", "# "), ("strace -DDD -o \(trace) -e trace=kill \(job)", "up"),
                ("\\x1a", "Stopped"), ("", "# "), ("fg\\n", "cat"), ("two\\n", "two\r\ntwo"),
                ("\\x03", "# "),
            ],
            into: Self.shell
        )
        // One more would undo the next stop, if that came in between.
        let calls = try String(contentsOfFile: trace, encoding: .utf8)
            .split(separator: "\n")
        #expect(calls.count { $0.contains("SIGCONT)") } == 1, "\(calls)")
        #expect(calls.count { $0.contains("SIGSTOP)") } == 1, "\(calls)")
    }

    /// tini takes it, before or after the shell has written its prompt: what is then seen varies.
    @Test(arguments: Init.allCases.filter { $0 != .tini })
    func `stays the shell's where the init starts in the background, but under tini`(
        program: Init
    ) throws {
        let job = self.job(program, "sh -c 'echo u''p; exec sleep 60' &\\n")
        try type(
            [
                ("", "# "), (job, "up"), ("echo he''re\\n", "here"),
            ],
            into: Self.shell
        )
    }
}
