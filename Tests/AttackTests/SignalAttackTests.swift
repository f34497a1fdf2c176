import Foundation
import TestSupport
import Testing

/// Signals from an app that is root, as secure-init itself: it may send them.
@Suite(.requires(.fuse, .executables, .tool("setpriv"), .tool("nsenter")))
struct `A signal from the app` {
    /// Has the command send a signal to a process by name, and then say what it sees.
    private func run(
        _ signal: String,
        to name: String,
        then script: String,
        options: [String] = []
    ) throws -> Subprocess.Output {
        let volume = try DemoVolume()
        let send =
            "for p in /proc/[0-9]*; do [ \"$(cat $p/comm)\" = \(name) ] && kill -\(signal) "
            + "${p#/proc/}; done; "
        let device = try Device(
            volume.options + options + ["sh", "-c", send + script],
            directory: volume.directory.path
        )
        return try device.process.wait()
    }

    @Test(arguments: ["KILL", "SEGV", "ABRT", "BUS"])
    func `that ends the worker ends everything, and leaves no view`(_ signal: String) throws {
        let output = try run(
            signal,
            to: Attempt.worker,
            then: "trap '' TERM; until ! cat decrypted/test1 2>/dev/null; do :; done; "
                + "ls decrypted; echo gone; sleep 60; echo survived"
        )
        #expect(output.status == 74)
        #expect(!output.text.contains("survived"))
        #expect(output.errorText.contains("the volume's process was killed by SIG\(signal)"))
    }

    @Test func `that stops the worker does not stop the view`() throws {
        let output = try run("STOP", to: Attempt.worker, then: "cat decrypted/test1")
        #expect(output.status == 0)
        #expect(output.text == "This is an encrypted test file\n")
    }

    /// The control of the above: nobody wakes the worker, and the view waits.
    @Test func `that stops the worker would stop the view`() throws {
        let volume = try DemoVolume()
        let device = try Device(
            volume.options + [
                "sh", "-c", "until [ -e go ]; do sleep 0.05; done; cat decrypted/test1",
            ],
            directory: volume.directory.path
        )
        try device.process.waitForOutput(containing: "command started")
        let supervisor = try device.pid(of: "secure-init")
        let worker = try device.pid(of: Attempt.worker)
        kill(supervisor, SIGSTOP)
        kill(worker, SIGSTOP)
        try volume.directory.write("", to: "go")
        let reader = try device.pid(of: "cat")
        // The read has reached the kernel when its call is one of a request that is waited for.
        #expect(
            waitUntil(timeout: 30) {
                let place = try? String(contentsOfFile: "/proc/\(reader)/wchan", encoding: .utf8)
                return place?.contains("request_wait") ?? false || place?.contains("fuse") ?? false
            }
        )
        #expect(device.process.text.isEmpty)
        kill(supervisor, SIGCONT)
        let output = try device.process.wait()
        #expect(output.text == "This is an encrypted test file\n")
    }

    @Test(arguments: ["KILL", "STOP"])
    func `does not reach process 1`(_ signal: String) throws {
        let output = try run(signal, to: "secure-init", then: "cat decrypted/test1; exit 7")
        #expect(output.status == 7)
        #expect(output.text == "This is an encrypted test file\n")
    }

    /// The control of the above: from outside of the container it is a signal like any other.
    @Test func `from outside would reach process 1`() throws {
        let device = try Device(["--env-only", "sleep", "60"], directory: "/")
        try device.process.waitForOutput(containing: "command started")
        let supervisor = try device.pid(of: "secure-init")
        kill(supervisor, SIGSTOP)
        #expect(
            waitUntil(timeout: 30) {
                let path = "/proc/\(supervisor)/stat"
                let text = try? String(contentsOfFile: path, encoding: .utf8)
                return text?.contains(") T ") ?? false
            }
        )
        kill(supervisor, SIGKILL)
        #expect(waitUntil(timeout: 30) { kill(supervisor, 0) == -1 })
        #expect(try !device.process.wait().errorText.contains("command ended"))
    }

    @Test(arguments: ["1", Attempt.worker])
    func `of another user reaches nobody`(_ process: String) throws {
        let volume = try DemoVolume()
        let device = try Device(
            volume.options + ["sleep", "60"],
            directory: volume.directory.path
        )
        try device.process.waitForOutput(containing: "command started")
        let attempts = ["signal", "tgkill", "prlimit"].map { "\(process):\($0)" }
        let report = try device.attack(attempts, from: .user, lookingFor: [])
        let control = try device.attack(attempts, from: .unlimited, lookingFor: [])
        for attempt in attempts {
            #expect(try report.result(of: attempt) == EPERM)
            // Raising a limit takes one capability more, which a machine may not have.
            if !attempt.hasSuffix("prlimit") { #expect(try control.result(of: attempt) == 0) }
        }
        try device.stop()
    }

    @Test func `that ends the fetcher has it started again`() throws {
        let device = try WaitingDevice().device
        let first = try device.pid(of: Attempt.fetcher)
        kill(first, SIGSEGV)
        try device.process.waitForOutput(containing: "starting it again")
        var next: Int32 = first
        #expect(
            waitUntil(timeout: 30) {
                next = (try? device.pid(of: Attempt.fetcher)) ?? first
                return next != first
            }
        )
        #expect(try device.stop().status == 143)
    }
}
