import Foundation
import TestSupport
import Testing

/// What the command finds is what it would find without secure-init.
@Suite(.requires(.root, .executables, .tool("python3"))) struct `What the command inherits` {
    /// Opens a file at byte 3 as 5 and 9, as 8 with close-on-exec, a pipe that does not block as 7,
    /// and executes the arguments.
    private static let opener = """
        import os, sys
        file = os.open(sys.argv[1], os.O_RDONLY)
        os.lseek(file, 3, 0)
        os.dup2(file, 5)
        os.dup2(file, 9)
        os.dup2(file, 8, inheritable=False)
        out, into = os.pipe2(os.O_NONBLOCK)
        os.dup2(out, 7)
        os.closerange(10, 64)
        for closed in sys.argv[2].split(","):
            if closed: os.close(int(closed))
        os.execvp(sys.argv[3], sys.argv[3:])
        """

    /// Writes one line for each descriptor: its number, flags, position, and what it is.
    private static let inventory = """
        import os, re, sys
        lines = []
        for number in sorted(map(int, os.listdir("/proc/self/fd"))):
            try: target = os.readlink("/proc/self/fd/%d" % number)
            except OSError: continue # what the list was read through
            info = dict(line.split(":") for line in open("/proc/self/fdinfo/%d" % number)
                if line.startswith(("pos", "flags")))
            # What output has, and which pipe it is, differs from run to run.
            position = info["pos"].strip() if number > 2 else ""
            target = re.sub("[0-9]|-test-[^/]*", "", target)
            lines.append(" ".join([str(number), info["flags"].strip(), position, target]))
        with open(sys.argv[1], "w") as report: print("\\n".join(lines), file=report)
        """

    /// The inventory that a program has when it is started through `launcher`.
    private func inventory(
        through launcher: [String],
        closing closed: String = "",
        in directory: TemporaryDirectory
    ) throws -> String {
        try directory.write("0123456789", to: "file")
        let command = launcher + ["python3", "-c", Self.inventory, directory("report")]
        let output = try Subprocess.run(
            "python3",
            ["-c", Self.opener, directory("file"), closed] + command,
            directory: directory.path
        )
        #expect(output.status == 0, "\(output.errorText)")
        return String(decoding: try directory.read("report"), as: UTF8.self)
    }

    @Test(arguments: ["", "0", "1", "2", "0,1,2", "0,2,5"])
    func `are descriptors as they were, closed ones closed`(closed: String) throws {
        let directory = try TemporaryDirectory()
        let plain = try inventory(through: ["env"], closing: closed, in: directory)
        // The control: the list tells numbers, positions and flags apart.
        #expect(plain.contains("9 0100000 3 /tmp/secure-store/file"))
        #expect(!plain.contains("8 "))
        #expect(plain.contains("7 04000  pipe:[]") || plain.contains("7 04000 0 pipe:[]"))
        let wrapped = try inventory(
            through: [Executables.secureInit, "--env-only"],
            closing: closed,
            in: directory
        )
        #expect(wrapped == plain)
    }

    @Test(.requires(.fuse)) func `is no descriptor of ours, with a mounted volume either`() throws {
        let directory = try Sample.keyDirectory()
        let namespace = [
            "unshare", "--pid", "--mount", "--fork", "--mount-proc", "--kill-child=KILL",
        ]
        let plain = try inventory(through: namespace, in: directory)
        let wrapped = try inventory(
            through: namespace + [
                Executables.secureInit, "--key-source", "file:\(directory("key"))", "sh", "-c",
                "test -w decrypted && exec \"$0\" \"$@\"",
            ],
            in: directory
        )
        #expect(wrapped == plain)
        #expect(try directory.read("storage/gocryptfs.conf").isEmpty == false, "there was a volume")
    }

    @Test func `is standard input, unread`() throws {
        let output = try Subprocess.start(
            Executables.secureInit,
            ["--env-only", "cat"],
            standardInput: Array("line\n".utf8) + [0, 255]
        ).wait()
        #expect(output.standardOutput == Array("line\n".utf8) + [0, 255])
    }

    @Test func `are limits, priority, directory and file mode mask`() throws {
        let show = "cat /proc/self/limits; nice; pwd; umask; cat /proc/self/oom_score_adj"
        let set = "ulimit -n 777; ulimit -s 4096; umask 027; cd /usr; exec nice -n 3 \"$@\""
        let run = { (launcher: [String]) in
            try Subprocess.run("sh", ["-c", set, "sh"] + launcher + ["sh", "-c", show])
        }
        let plain = try run([])
        #expect(plain.text.contains("777") && plain.text.contains("0027"))
        #expect(try run([Executables.secureInit, "--env-only"]).text == plain.text)
    }
}

/// The protocols by which a service manager hands something to one process, by its pid.
@Suite(.requires(.root, .executables, .tool("tini"), .tool("dumb-init")))
struct `Socket activation` {
    private static let show = [
        "sh", "-c", "env | grep -E 'LISTEN|WATCHDOG|NOTIFY' | sort; echo $$",
    ]

    /// The variables that the command sees, and after them its pid.
    private func run(
        _ environment: [String: String],
        under program: Init = .secureInit
    ) throws -> [String] {
        let process = try program.start(Self.show, environment: environment).process
        let output = try process.wait()
        return output.text.split(separator: "\n").map(String.init)
    }

    @Test func `is for the command: what named secure-init names it`() throws {
        let lines = try run([
            "LISTEN_PID": "1", "LISTEN_FDS": "2", "LISTEN_FDNAMES": "http:https",
            "LISTEN_PIDFDID": "4711", "WATCHDOG_PID": "1", "WATCHDOG_USEC": "30000000",
            "NOTIFY_SOCKET": "/run/notify",
        ])
        let pid = try #require(lines.last)
        #expect(pid != "1")
        #expect(
            lines.dropLast() == [
                "LISTEN_FDNAMES=http:https", "LISTEN_FDS=2", "LISTEN_PID=\(pid)",
                "NOTIFY_SOCKET=/run/notify", "WATCHDOG_PID=\(pid)", "WATCHDOG_USEC=30000000",
            ]
        )
    }

    @Test(arguments: Init.allCases)
    func `is for the init behind which nobody looks, under tini and dumb-init`(
        program: Init
    ) throws {
        let lines = try run(["LISTEN_PID": "1"], under: program)
        let isLost = program == .tini || program == .dumbInit
        #expect(lines.first == "LISTEN_PID=\(isLost ? "1" : try #require(lines.last))")
    }

    @Test func `for somebody else stays that`() throws {
        let environment = ["LISTEN_PID": "11", "LISTEN_PIDFDID": "4711", "WATCHDOG_PID": "10"]
        let expected = environment.map { "\($0.key)=\($0.value)" }.sorted()
        #expect(try run(environment).dropLast() == expected[...])
    }

    @Test(.requires(.tool("python3")))
    func `hands the command a socket that answers`() throws {
        // systemd's part: the socket as 3, and the pid of the process that then executes us.
        let manager = """
            import os, socket, sys
            listener = socket.create_server(("127.0.0.1", 0))
            port = listener.getsockname()[1]
            if os.fork() == 0:
                client = socket.create_connection(("127.0.0.1", port))
                client.sendall(b"question")
                os.write(2, client.recv(100))
                os._exit(0)
            os.dup2(listener.fileno(), 3)
            os.set_inheritable(3, True)
            os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1")
            os.execv(sys.argv[1], sys.argv[1:])
            """
        let service = """
            import os, socket
            assert int(os.environ["LISTEN_PID"]) == os.getpid() and os.environ["LISTEN_FDS"] == "1"
            connection, _ = socket.socket(fileno=3).accept()
            connection.sendall(b"answer to " + connection.recv(100))
            connection.recv(1) # Until the client has told.
            """
        let process = try Subprocess.start(
            "python3",
            ["-c", manager, Executables.secureInit, "--env-only", "python3", "-c", service]
        )
        try process.waitForOutput(containing: "answer to question")
        #expect(try process.wait().status == 0)
    }
}
