import Foundation
import TestSupport
import Testing

@Suite(.requires(.root, .executables, .tool("setpriv"), .tool("python3")))
struct `Secrets as files` {
    let directory: TemporaryDirectory

    /// Takes from secure-init what mounting needs.
    private static let cannotMount = ["setpriv", "--bounding-set=-sys_admin"]

    init() throws {
        directory = try Sample.keyDirectory()
        chmod(directory.path, 0o755)
    }

    private var mountPoint: String { directory("files") }

    private func arguments(_ options: [String], _ script: String) -> [String] {
        ["--env-only", "--key-source", "file:\(directory("key"))", "--deliver", "file"] + options
            + ["--", "sh", "-c", script]
    }

    private func run(
        _ options: [String],
        _ script: String,
        environment: [String: String] = ["ENCRYPTED_TESTVAR": Sample.value],
        wrapper: [String] = []
    ) throws -> Subprocess.Output {
        try InitProcess.run(
            arguments(options, script),
            environment: environment,
            wrapper: wrapper
        )
    }

    // MARK: Mounted

    @Test func `lie in a mount that is never swapped out and never written`() throws {
        let output = try run(
            ["--deliver-dir", mountPoint],
            """
            echo "$TESTVAR_FILE|${TESTVAR-unset}|$(cat "$TESTVAR_FILE")"
            stat -c %a:%u:%g:%s "$TESTVAR_FILE" "${TESTVAR_FILE%/*}"
            grep " $(dirname "$TESTVAR_FILE") " /proc/self/mountinfo
            echo x >"$TESTVAR_FILE"; rm "$TESTVAR_FILE"; touch "${TESTVAR_FILE%/*}/new"
            chmod 777 "$TESTVAR_FILE"
            """
        )
        let lines = output.text.split(separator: "\n")
        try #require(lines.count == 4, "\(output.errorText)")
        #expect(lines[0] == "\(mountPoint)/TESTVAR|unset|\(Sample.plaintext)")
        #expect(lines[1] == "400:0:0:\(Sample.plaintext.utf8.count)")
        #expect(lines[2].hasPrefix("500:0:0:"))
        for word in ["ro,", "nosuid", "nodev", "noexec", "- ramfs secure-init"] {
            #expect(lines[3].contains(word), "\(lines[3])")
        }
        let refusals = output.errorText.components(separatedBy: "Read-only file system").count - 1
        #expect(refusals == 4)
        #expect(
            output.errorText.contains(
                "secrets are in files directory=\(mountPoint) filesystem=ramfs names=TESTVAR"
            )
        )
    }

    @Test func `appear at a place that is known when nobody names one`() throws {
        // A /run of its own: nobody else's run shall see it made and removed.
        let output = try run(
            [],
            "cat $TESTVAR_FILE; echo $TESTVAR_FILE; stat -c %a /run/secure-init",
            wrapper: ["sh", "-c", "mount -t tmpfs run /run; exec \"$@\"", "sh"]
        )
        #expect(output.text == "\(Sample.plaintext)/run/secure-init/TESTVAR\n500\n")
    }

    @Test(arguments: [true, false]) func `are for the command's user alone`(
        mounts: Bool
    ) throws {
        let output = try run(
            ["--user", "4711:4712"] + (mounts ? ["--deliver-dir", mountPoint] : []),
            "stat -Lc %a:%u:%g $TESTVAR_FILE; cat $TESTVAR_FILE; sh -c 'cat $TESTVAR_FILE'",
            wrapper: mounts ? [] : Self.cannotMount
        )
        #expect(
            output.text == "400:4711:4712\n\(Sample.plaintext)\(Sample.plaintext)",
            "\(output.errorText)"
        )
    }

    @Test(arguments: [true, false]) func `cannot be read by another user`(mounts: Bool) throws {
        let output = try run(
            mounts ? ["--deliver-dir", mountPoint] : [],
            "F=/proc/$$/root$TESTVAR_FILE; [ -e $F ] || F=/proc/$$/fd/${TESTVAR_FILE##*/}; cat $F;"
                + " setpriv --reuid=4711 --regid=4711 --clear-groups cat $F",
            wrapper: mounts ? [] : Self.cannotMount
        )
        // The control: the same path, as the command's user.
        #expect(output.text == Sample.plaintext)
        #expect(output.errorText.contains("Permission denied"))
        #expect(output.status != 0)
    }

    @Test func `are zeros, to whoever still has them open, when the command has ended`() throws {
        let process = try InitProcess(
            arguments(["--deliver-dir", mountPoint], "exec sleep 60"),
            environment: ["ENCRYPTED_TESTVAR": Sample.value]
        )
        try process.process.waitForOutput(containing: "command started")
        let path = "/proc/\(try process.pid)/root\(mountPoint)/TESTVAR"
        let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
        let count = Sample.plaintext.utf8.count
        #expect(try file.read(upToCount: 100) == Data(Sample.plaintext.utf8))
        // On the disk there is a directory with nothing in it.
        #expect(try FileManager.default.contentsOfDirectory(atPath: mountPoint).isEmpty)
        try process.signal(SIGTERM)
        #expect(try process.process.wait().status == 143)
        try file.seek(toOffset: 0)
        #expect(try file.read(upToCount: 100) == Data(repeating: 0, count: count))
    }

    @Test(
        arguments: [
            (["--deliver-dir", "@"], "true", 0),
            (["--deliver-dir", "@"], "kill -9 $$", 137),
            (["--deliver-dir", "@", "--chdir", "/nowhere"], "true", 78),
            (["--deliver-dir", "@", "--env-only=false", "--storage", "/proc"], "true", nil),
            (["--deliver-dir", "@", "--user", "4711"], "sleep 60 & exit 3", 3),
        ] as [([String], String, Int32?)]
    )
    func `are gone, with their mount and directory, whatever the end`(
        options: [String],
        script: String,
        status: Int32?
    ) throws {
        let options = options.map { $0 == "@" ? directory("deep/files") : $0 }
        let output = try Subprocess.run(
            "unshare",
            ["--mount", "sh", "-c", "\"$@\"; echo $?; grep -c ramfs /proc/self/mountinfo", "sh"]
                + [Executables.secureInit] + arguments(options, script),
            environment: [
                "ENCRYPTED_TESTVAR": Sample.value, "PATH": "/usr/bin:/bin:/usr/sbin:/sbin",
            ]
        )
        let lines = output.text.split(separator: "\n")
        #expect(output.errorText.contains("secrets are in files"), "\(output.errorText)")
        if let status { #expect(lines.first == "\(status)") }
        #expect(lines.first != "0" || status == 0)
        #expect(lines.last == "0")
        #expect(!FileManager.default.fileExists(atPath: directory("deep")))
    }

    @Test func `are not mounted over files, nor where it is asked for and not allowed`() throws {
        try directory.write("x", to: "full/file")
        let full = try run(["--deliver-dir", directory("full")], "echo started")
        #expect(full.status == 71)
        #expect(full.text.isEmpty)
        #expect(full.errorText.contains("is not empty, and the files would hide what is in it"))
        try FileManager.default.createSymbolicLink(
            atPath: directory("link"),
            withDestinationPath: "/"
        )
        let link = try run(["--deliver-dir", directory("link")], "echo started")
        #expect(link.status == 71)
        #expect(link.text.isEmpty)
        let forbidden = try run(
            ["--deliver-dir", mountPoint],
            "echo started",
            wrapper: Self.cannotMount
        )
        #expect(forbidden.status == 71)
        #expect(forbidden.text.isEmpty)
        #expect(forbidden.errorText.contains("--cap-add SYS_ADMIN"))
        #expect(!FileManager.default.fileExists(atPath: mountPoint))
    }

    @Test func `leave alone what somebody else has mounted in their place`() throws {
        for (source, text) in [("other", "71\ntheirs\n"), ("secure-init", "started\n0\n")] {
            let script =
                "mkdir -p \"$0\"; mount -t ramfs \(source) \"$0\"; echo theirs >\"$0/file\"; "
                + "\"$@\"; echo $?; cat \"$0/file\""
            let output = try run(
                ["--deliver-dir", mountPoint],
                "echo started",
                wrapper: ["sh", "-c", script, mountPoint]
            )
            // The control: of our name and in nobody's use, it is a killed run's, and cleared away.
            #expect(output.text == text, "\(output.errorText)")
        }
    }

    // MARK: Sealed

    @Test func `are sealed memory where nothing may be mounted`() throws {
        let script = """
            import os, fcntl
            path = os.environ["TESTVAR_FILE"]
            print(path.startswith("/proc/self/fd/") and int(path[14:]) >= 100)
            print(open(path).read() + open(path).read())
            print(fcntl.fcntl(os.open(path, os.O_RDONLY), 1034) & 15)
            for flags in (os.O_RDWR, os.O_WRONLY):
                try: print(os.write(os.open(path, flags), b"x"))
                except OSError as error: print(error.strerror)
            try: print(os.truncate(path, 0))
            except OSError as error: print(error.strerror)
            # The control: a file in memory without seals.
            print(os.write(os.memfd_create("free"), b"x"))
            """
        let output = try run(
            [],
            "exec python3 -c '\(script)'",
            wrapper: Self.cannotMount
        )
        let refused = "Operation not permitted"
        #expect(
            output.text.split(separator: "\n").map(String.init)
                == [
                    "True", Sample.plaintext + Sample.plaintext, "15", refused, refused, refused,
                    "1",
                ],
            "\(output.errorText)"
        )
        #expect(
            output.errorText.contains(
                "secrets are in sealed memory: cannot mount at /run/secure-init: "
                    + "Operation not permitted names=TESTVAR swap=never"
            )
        )
    }

    @Test func `in memory are locked as long as the command runs`() throws {
        let process = try InitProcess(
            arguments([], "exec sleep 60"),
            environment: ["ENCRYPTED_TESTVAR": Sample.value],
            wrapper: Self.cannotMount
        )
        try process.process.waitForOutput(containing: "command started")
        let maps = ProcessTree.text("/proc/\(try process.pid)/smaps")
        let parts = maps.components(separatedBy: "memfd:secure-init")
        try #require(parts.count == 2)
        let flags = parts[1].components(separatedBy: "VmFlags: ")[1].split(separator: "\n")[0]
        #expect(flags.split(separator: " ").contains("lo"))
        // Of the descriptors only the command has one.
        for (pid, count) in [(try process.pid, 0), (try process.command(named: "sleep"), 1)] {
            let folder = "/proc/\(pid)/fd"
            let links = try FileManager.default.contentsOfDirectory(atPath: folder).compactMap {
                try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\($0)")
            }
            #expect(links.filter { $0.hasPrefix("/memfd:secure-init") }.count == count)
        }
        try process.signal(SIGTERM)
        try process.process.wait()
    }

    @Test func `work for a user who may do nothing`() throws {
        chmod(directory("key"), 0o644)
        let output = try run(
            [],
            "cat $TESTVAR_FILE; id -u",
            wrapper: ["setpriv", "--reuid=4711", "--regid=4711", "--clear-groups"]
        )
        #expect(output.text == "\(Sample.plaintext)4711\n", "\(output.errorText)")
    }

    @Test func `leave inherited descriptors their numbers`() throws {
        let pipe = Pipe()
        let process = try InitProcess(
            arguments([], "ls -l /proc/self/fd"),
            environment: ["ENCRYPTED_TESTVAR": Sample.value],
            wrapper: Self.cannotMount,
            descriptors: [
                3: pipe.fileHandleForReading.fileDescriptor,
                100: pipe.fileHandleForWriting.fileDescriptor,
            ]
        )
        let text = try process.process.wait().text
        #expect(text.contains(" 3 -> pipe:"))
        #expect(text.contains(" 100 -> pipe:"))
        #expect(text.contains(" 101 -> /memfd:secure-init"))
    }

    // MARK: Which, and what

    @Test func `replace what was inherited under either name`() throws {
        let output = try run(
            ["--deliver-dir", mountPoint],
            "env",
            environment: [
                "ENCRYPTED_TESTVAR": Sample.value, "TESTVAR": "old", "TESTVAR_FILE": "/old",
            ]
        )
        let lines = output.text.split(separator: "\n").filter { $0.hasPrefix("TESTVAR") }
        #expect(lines == ["TESTVAR_FILE=\(mountPoint)/TESTVAR"])
        #expect(!output.text.contains(Sample.plaintext))
    }

    @Test func `are chosen one by one`() throws {
        let key = try Sample.key(Sample.password)
        let environment = [
            "ENCRYPTED_A": try Sample.encrypt("one", as: "A", with: key),
            "ENCRYPTED_B": try Sample.encrypt("two", as: "B", with: key),
        ]
        let script = "echo ${A-no},${A_FILE-no},${B-no},${B_FILE-no}"
        let here = ["--deliver-dir", mountPoint]
        #expect(
            try run(here + ["--deliver", "B=env"], script, environment: environment).text
                == "no,\(mountPoint)/A,two,no\n"
        )
        #expect(
            try run(here + ["--deliver", "env,B=file"], script, environment: environment).text
                == "one,no,no,\(mountPoint)/B\n"
        )
        // The control: nothing is mounted for nothing.
        let none = try run(here + ["--deliver", "env"], script, environment: environment)
        #expect(none.text == "one,no,two,no\n")
        #expect(!none.errorText.contains("secrets are"))
    }

    @Test func `may hold NUL, be empty, and be larger than any variable`() throws {
        try directory.write("nul", to: "nul")
        let key = try Sample.key("nul")
        let large = String(repeating: "0123456789abcdef", count: 20_000)
        try directory.write(
            "ENCRYPTED_LARGE=\(try Sample.encrypt(large, as: "LARGE", with: key))\n",
            to: "large.env"
        )
        for wrapper in [[], Self.cannotMount] {
            let output = try InitProcess.run(
                [
                    "--env-only", "--key-source", "file:\(directory("nul"))", "--deliver", "file",
                    "--env-file", directory("large.env"), "sh", "-c",
                    "cat $NUL_FILE $NONE_FILE; stat -Lc :%s $NONE_FILE; cat $LARGE_FILE",
                ],
                environment: [
                    "ENCRYPTED_NUL": Sample.valueWithNUL,
                    "ENCRYPTED_NONE": try Sample.encrypt("", as: "NONE", with: key),
                ],
                wrapper: wrapper + ["sh", "-c", "mount -t tmpfs r /run 2>&-; exec \"$@\"", "sh"]
            )
            #expect(output.status == 0, "\(output.errorText)")
            #expect(output.text == "a\0b:0\n\(large)")
        }
    }

    @Test func `that cannot be files refuse the start`() throws {
        let key = try Sample.key(Sample.password)
        for (names, reason) in [
            (["../A"], "ENCRYPTED_../A: the name cannot be a file's"),
            ([".."], "ENCRYPTED_..: the name cannot be a file's"),
            (["A", "A_FILE"], "ENCRYPTED_A: delivered as a file, it is named by a variable"),
        ] {
            var environment: [String: String] = [:]
            for name in names {
                environment["ENCRYPTED_\(name)"] = try Sample.encrypt("x", as: name, with: key)
            }
            let output = try run(
                ["--deliver-dir", mountPoint, "--deliver", "A_FILE=env"],
                "echo started",
                environment: environment
            )
            #expect(output.status == 78)
            #expect(output.text.isEmpty)
            #expect(output.errorText.contains(reason), "\(output.errorText)")
        }
    }

    @Test(arguments: ["", "files", "=file", "A=", "A=B=file", "A=file,", "relative"])
    func `are asked for in words that are known`(value: String) throws {
        let option = value == "relative" ? "--deliver-dir" : "--deliver"
        let output = try InitProcess.run([option, value, "--env-only", "echo", "started"])
        #expect(output.status == 64)
        #expect(output.text.isEmpty)
    }

    @Test func `are nowhere else`() throws {
        let process = try InitProcess(
            arguments(["--deliver-dir", mountPoint, "--log-level", "debug"], "exec sleep 60"),
            environment: ["ENCRYPTED_TESTVAR": Sample.value]
        )
        try process.process.waitForOutput(containing: "command started")
        let needle = [Array(Sample.plaintext.utf8)]
        let command = try process.command(named: "sleep")
        #expect(try MemoryScan.find(needle, in: try process.pid).isEmpty)
        #expect(try MemoryScan.find(needle, in: command).isEmpty)
        #expect(!ProcessTree.text("/proc/\(command)/environ").contains(Sample.plaintext))
        #expect(ProcessTree.text("/proc/\(command)/environ").contains("TESTVAR_FILE="))
        try process.signal(SIGTERM)
        #expect(!(try process.process.wait().errorText.contains(Sample.plaintext)))
    }
}
