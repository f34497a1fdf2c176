import Foundation
import TestSupport
import Testing

@Suite(.requires(.root, .executables)) struct `Key sources` {
    private let show = ["sh", "-c", "printf %s \"$TESTVAR\""]
    private let variable = ["ENCRYPTED_TESTVAR": Sample.value]

    @Test func `a file`() throws {
        let directory = try Sample.keyDirectory()
        let output = try InitProcess.run(
            ["--env-only", "--key-source", "file:\(directory("key"))"] + show,
            environment: variable
        )
        #expect(output.text == Sample.plaintext)
    }

    @Test func `a file that appears later is waited for, with one line`() throws {
        let directory = try TemporaryDirectory()
        let process = try InitProcess(
            ["--env-only", "--key-source", "file:\(directory("key"))"] + show,
            environment: variable
        )
        try process.process.waitForOutput(containing: "waiting for the key")
        usleep(1_500_000)
        try directory.write(Sample.password, to: "key")
        let output = try process.process.wait()
        #expect(output.text == Sample.plaintext)
        #expect(output.errorText.components(separatedBy: "waiting for the key").count == 2)
    }

    @Test func `a file that does not appear in time gives 69`() throws {
        let output = try InitProcess.run([
            "--env-only", "--key-source", "file:/nonexistent/key", "--key-timeout", "300ms", "true",
        ])
        #expect(output.status == 69)
        #expect(output.errorText.contains("no key after 300 ms"))
        #expect(output.errorText.contains("No such file"))
    }

    @Test func `a file that holds no key gives 78`() throws {
        let directory = try Sample.keyDirectory("two\nlines")
        let output = try InitProcess.run(
            ["--env-only", "--key-source", "file:\(directory("key"))"] + show
        )
        #expect(output.status == 78)
        #expect(!output.errorText.contains("two"), "not even a wrong key is shown")
    }

    @Test(arguments: [3, 4, 9])
    func `a descriptor that was not handed over gives 78`(number: Int32) throws {
        // The tests' own runner may have left such a number open.
        let output = try Subprocess.run(
            "bash",
            [
                "-c", "exec 3<&- 4<&- 9<&-; exec \"$0\" --env-only --key-source fd:$1 true",
                Executables.secureInit, "\(number)",
            ]
        )
        #expect(output.status == 78)
        #expect(output.errorText.contains("descriptor \(number) is not open"))
    }

    @Test func `standard input, which the command then finds empty`() throws {
        let directory = try Sample.keyDirectory()
        let output = try Subprocess.run(
            Executables.secureInit,
            ["--env-only", "--key-source", "fd:0", "sh", "-c", "printf %s \"$TESTVAR\"; cat"],
            environment: variable.merging(["PATH": "/usr/bin:/bin"]) { $1 },
            standardInput: try directory.read("key")
        )
        #expect(output.text == Sample.plaintext, "\(output.errorText)")
        #expect(output.status == 0, "cat has something to read from")
    }

    @Test func `a password in the wrong place is refused and not shown`() throws {
        let output = try InitProcess.run(["--env-only", "--key-source", "hunter2hunter2", "true"])
        #expect(output.status == 64)
        #expect(output.errorText.contains("--key-source"))
        #expect(!output.errorText.contains("hunter2"))
    }

    @Test func `a pipe, whose key comes in pieces`() throws {
        let pipe = Pipe()
        let process = try InitProcess(
            ["--env-only", "--key-source", "fd:7"] + show,
            environment: variable,
            descriptors: [7: pipe.fileHandleForReading.fileDescriptor]
        )
        let half = Sample.password.count / 2
        try pipe.fileHandleForWriting.write(contentsOf: Data(Sample.password.utf8.prefix(half)))
        usleep(200_000)
        #expect(process.process.status == nil)
        try pipe.fileHandleForWriting.write(contentsOf: Data(Sample.password.utf8.dropFirst(half)))
        try pipe.fileHandleForWriting.close()
        #expect(try process.process.wait().text == Sample.plaintext)
    }

    @Test func `a pipe is not handed on to the command`() throws {
        let pipe = Pipe()
        try pipe.fileHandleForWriting.write(contentsOf: Data("\(Sample.password)\n".utf8))
        let output = try InitProcess.run(
            ["--env-only", "--key-source", "fd:7", "sh", "-c", "ls /proc/self/fd"],
            descriptors: [7: pipe.fileHandleForReading.fileDescriptor]
        )
        #expect(output.status == 0)
        #expect(!output.text.split(separator: "\n").contains("7"))
    }

    @Test func `a variable, which is taken out of the environment`() throws {
        let output = try InitProcess.run(
            ["--env-only", "--key-source", "env:THE_KEY", "env"],
            environment: variable.merging(["THE_KEY": Sample.password]) { $1 }
        )
        #expect(output.text.contains("TESTVAR=\(Sample.plaintext)"))
        #expect(!output.text.contains("THE_KEY"))
        #expect(!output.text.contains(Sample.password))
    }

    @Test func `a variable that is not set gives 78`() throws {
        let output = try InitProcess.run(["--env-only", "--key-source", "env:THE_KEY", "true"])
        #expect(output.status == 78)
        #expect(output.errorText.contains("THE_KEY"))
    }

    @Test func `the original's -local, with a warning, erased from the command line`() throws {
        let process = try InitProcess(
            ["-env-only", "-local", Sample.password, "sleep", "60"],
            environment: variable
        )
        try process.process.waitForOutput(containing: "command started")
        #expect(process.process.errorText.contains("password on the command line is visible"))
        let line = ProcessTree.text("/proc/\(try process.pid)/cmdline")
        #expect(line.contains("-local"))
        #expect(!line.contains(Sample.password))
        try process.signal(SIGTERM)
        #expect(try process.process.wait().status == 143)
    }

    @Test func `none, where something is to be decrypted, is an error of usage`() throws {
        let output = try InitProcess.run(["--env-only", "true"], environment: variable)
        #expect(output.status == 64)
        #expect(output.errorText.contains("--key-source"))
    }

    @Test func `none is needed where nothing is encrypted`() throws {
        #expect(try InitProcess.run(["--env-only", "sh", "-c", "exit 3"]).status == 3)
    }

    @Test func `that do not exist are refused with what there is`() throws {
        let output = try InitProcess.run(["--env-only", "--key-source", "ftp://x", "true"])
        #expect(output.status == 64)
        #expect(output.errorText.contains("https://HOST"))
    }
}
