import TestSupport
import Testing

@Suite(.requires(.root, .executables, .tool("python3"))) struct `A terminal` {
    /// Types into a program on a pseudo-terminal: pairs of what to type and what must then appear.
    private static let typist = """
        import os, pty, select, sys, time
        pid, terminal = pty.fork()
        if pid == 0: os.execvp(sys.argv[1], sys.argv[1:sys.argv.index("--typing")])
        steps = sys.argv[sys.argv.index("--typing") + 1:]
        seen = b""
        for keys, wanted in zip(steps[::2], steps[1::2]):
            seen = b""
            time.sleep(0.4)
            os.write(terminal, keys.encode().decode("unicode_escape").encode())
            end = time.time() + 15
            while wanted.encode() not in seen and time.time() < end:
                if select.select([terminal], [], [], 0.1)[0]:
                    try: seen += os.read(terminal, 4096)
                    except OSError: break
            if wanted.encode() not in seen:
                sys.exit("typed %r, wanted %r, saw %r" % (keys, wanted, seen))
        print("all seen", flush=True)
        """

    private func type(_ keys: [String], into command: [String]) throws -> Subprocess.Output {
        try Subprocess.run(
            "python3",
            ["-c", Self.typist] + command + ["--typing"] + keys,
            environment: ["PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "TERM": "dumb"]
        )
    }

    private let quiet = ["--env-only", "--log-level", "error"]

    @Test func `is the command's: a shell as process 1's child has job control`() throws {
        let output = try type(
            [
                "echo re''ady\\n", "ready", "sleep 60\\n", "sleep 60", "\\x1a", "Stopped", "fg\\n",
                "sleep 60", "\\x03", "^C", "stty cols 77; echo wid''th $COLUMNS; stty size\\n",
                " 77", "exit 5\\n", "exit",
            ],
            into: [
                "unshare", "--pid", "--mount", "--fork", "--mount-proc", Executables.secureInit,
            ] + quiet + ["bash", "--norc", "-i"]
        )
        #expect(output.text == "all seen\n")
        #expect(output.errorText.isEmpty)
    }

    @Test func `stops and continues with the command under a shell, and Ctrl-C reaches it`() throws
    {
        let command = ([Executables.secureInit] + quiet + ["cat"]).joined(separator: " ")
        let output = try type(
            [
                "echo re''ady\\n", "ready", "\(command)\\n", "cat", "one\\n", "one\r\none",
                "\\x1a", "Stopped", "fg\\n", "cat", "two\\n", "two\r\ntwo", "\\x03", "^C",
                "echo sta''tus $?\\n", "status 130",
            ],
            into: ["bash", "--norc", "-i"]
        )
        #expect(output.text == "all seen\n")
        #expect(output.errorText.isEmpty)
    }
}
