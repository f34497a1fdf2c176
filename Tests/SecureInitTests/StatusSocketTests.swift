import Foundation
import TestSupport
import Testing

/// What others do to the socket that status is asked over.
@Suite(.requires(.root, .executables, .tool("python3"), .tool("nsenter")))
struct `The socket of the status` {
    /// Connects to the socket of a process, whatever namespace this is, and shows what comes.
    private static let connect = """
        import socket, sys
        s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        s.settimeout(10)
        s.connect("\\0secure-init/" + sys.argv[1] + "/1")
        print("answer:", s.recv(65536))
        """

    /// Pretends to be process 1.
    private static let squat = """
        import os, socket
        s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        s.bind("\\0secure-init/%d/1" % os.stat("/proc/self/ns/pid").st_ino)
        s.listen(8)
        print("listening", flush=True)
        while True:
            c, _ = s.accept()
            c.send(b"version\\0forged\\0phase\\0running\\0age\\x001\\0pid\\x001\\0command.pid\\x007\\0")
        """

    /// Connects again and again, from eight processes, and reads nothing.
    private static let flood = """
        import os, socket, time
        name = "\\0secure-init/%d/1" % os.stat("/proc/self/ns/pid").st_ino
        for i in range(7):
            if os.fork() == 0: break
        os.setgid(4711)
        os.setuid(4711)
        count = 0
        while True:
            s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            s.connect(name)
            s.close()
            count += 1
            if count == 1000: print("flooding", flush=True)
        """

    private func namespace(of pid: Int32) throws -> String {
        let link = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/ns/pid")
        return String(link.drop { $0 != "[" }.dropFirst().dropLast())
    }

    private func running() throws -> InitProcess {
        let process = try InitProcess(["--env-only", "sleep", "60"])
        try process.process.waitForOutput(containing: "command started")
        return process
    }

    @Test func `tells root of another container on the same network nothing`() throws {
        let process = try running()
        let number = try namespace(of: try process.pid)
        // The control: from within, the same program is answered.
        let within = try process.execute(["python3", "-c", Self.connect, number])
        #expect(within.text.contains("phase"))
        let sibling = ["unshare", "--pid", "--fork", "python3", "-c", Self.connect, number]
        for command in [["python3", "-c", Self.connect, number], sibling] {
            let output = try Subprocess.run(command[0], Array(command.dropFirst()))
            #expect(output.text == "answer: b''\n", "\(output.errorText)")
        }
        try process.signal(SIGTERM)
        try process.process.wait()
    }

    @Test func `is not believed to be process 1 where another sits on its name`() throws {
        let namespaces = ["--pid", "--mount", "--fork", "--mount-proc", "--kill-child=KILL"]
        let ask = "\"$0\" status; echo code $?; \"$0\" health; echo code $?"
        let squatter = try Subprocess.run(
            "unshare",
            namespaces + [
                "sh", "-c",
                "python3 -c \"$1\" & while ! grep -q \"@secure-init/$(stat -Lc %i /proc/self/ns/pid)/1\""
                    + " /proc/net/unix; do sleep 0.05; done; " + ask,
                Executables.secureInit, Self.squat,
            ]
        )
        #expect(squatter.text.contains("code 69") && squatter.text.contains("code 1"))
        #expect(squatter.errorText.contains("what answers is not secure-init"))
        #expect(!squatter.text.contains("forged"))
        // The control: what process 1 says is believed, so it is the number that told.
        let one = try Subprocess.start(
            "unshare",
            namespaces + ["python3", "-c", Self.squat]
        )
        try one.waitForOutput(containing: "listening")
        let inside = try #require(ProcessTree.children(of: one.pid).first)
        let output = try Subprocess.run(
            "nsenter",
            ["--pid", "--mount", "--target", "\(inside)", Executables.secureInit, "status"]
        )
        #expect(output.text.contains("forged"))
        one.signal(SIGKILL)
    }

    @Test func `that cannot be had costs one line`() throws {
        // The number of a namespace that is made later is not known: the name is taken from within.
        let output = try Subprocess.run(
            "unshare",
            [
                "--pid", "--mount", "--fork", "--mount-proc", "--kill-child=KILL", "sh", "-c",
                "python3 -c \"$1\" & while ! grep -q \"@secure-init/$(stat -Lc %i /proc/self/ns/pid)/1\""
                    + " /proc/net/unix; do sleep 0.05; done; exec \"$0\" --env-only echo started",
                Executables.secureInit, Self.squat,
            ]
        )
        #expect(output.status == 0)
        #expect(output.text.contains("started"))
        #expect(output.errorText.contains("status cannot be asked for: Address already in use"))
    }

    @Test func `keeps no one who connects and says nothing`() throws {
        let process = try running()
        let before = try process.descriptorCount
        let idle = """
            import os, socket, sys
            name = "\\0secure-init/%d/1" % os.stat("/proc/self/ns/pid").st_ino
            os.setuid(4711)
            all = []
            for i in range(200):
                s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
                s.connect(name)
                s.settimeout(10)
                all.append(s)
            print(sum(s.recv(65536) == b"" for s in all), "hung up on")
            """
        let output = try process.execute(["python3", "-c", idle])
        #expect(output.text == "200 hung up on\n", "\(output.errorText)")
        #expect(try process.descriptorCount == before)
        try process.signal(SIGTERM)
        try process.process.wait()
    }

    @Test func `flooded keeps neither signals nor root waiting`() throws {
        let process = try InitProcess([
            "--env-only", "sh", "-c",
            "trap 'echo heard' USR1; python3 -c \"$0\" & while :; do wait; done", Self.flood,
        ])
        try process.process.waitForOutput(containing: "flooding")
        for count in 1...20 {
            try process.signal(SIGUSR1)
            let heard = waitUntil(timeout: 10) {
                process.process.text.components(separatedBy: "heard").count > count
            }
            #expect(heard)
        }
        #expect(try process.ask("status", "--json").status == 0)
        #expect(try process.descriptorCount < 10)
        try process.signal(SIGKILL)
        try process.process.wait()
    }
}
