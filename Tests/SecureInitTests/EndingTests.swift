import Foundation
import TestSupport
import Testing

/// How secure-init alone ends; what every init does is in `Endings beside tini and dumb-init`.
@Suite(.requires(.root, .executables)) struct `Endings` {
    @Test func `a script without an interpreter line runs, as under execvp`() throws {
        let directory = try TemporaryDirectory()
        try directory.write("echo \"$0 $1\"; exit 4\n", to: "script", mode: 0o755)
        let output = try InitProcess.run(["--env-only", directory("script"), "argument"])
        #expect(output.status == 4)
        #expect(output.text == "\(directory("script")) argument\n")
    }

    @Test(arguments: [InitProcess.Place.processOne, .ordinary])
    func `wait for what the command left, which gets TERM first`(place: InitProcess.Place) throws {
        let left =
            "trap 'sleep 0.3; echo written; exit' TERM; echo up; while :; do sleep 0.05; done"
        let process = try InitProcess(
            ["--env-only", "sh", "-c", "setsid sh -c \"$0\" & sleep 0.5; exit 9", left],
            place: place
        )
        let output = try process.process.wait()
        #expect(output.status == 9)
        #expect(output.text.contains("written"), "it had the time to write its last")
    }

    @Test func `kill after the grace what does not listen`() throws {
        let left = "trap '' TERM; echo up; while :; do sleep 0.05; done"
        let began = ContinuousClock.now
        let output = try InitProcess.run([
            "--env-only", "--stop-grace", "500ms", "sh", "-c",
            "setsid sh -c \"$0\" & sleep 0.3; exit 9", left,
        ])
        let took = ContinuousClock.now - began
        #expect(output.status == 9)
        #expect(output.errorText.contains("killing what did not end in time"))
        #expect(took > .milliseconds(700) && took < .seconds(5))
    }

    @Test func `are hurried by a second TERM`() throws {
        let left = "trap '' TERM; echo up; while :; do sleep 0.05; done"
        let process = try InitProcess([
            "--env-only", "--stop-grace", "60s", "sh", "-c", "setsid sh -c \"$0\" & wait", left,
        ])
        try process.process.waitForOutput(containing: "up")
        try process.signal(SIGTERM)
        try process.process.waitForOutput(containing: "ending what is left")
        #expect(process.process.status == nil)
        let began = ContinuousClock.now
        try process.signal(SIGTERM)
        #expect(try process.process.wait().status == 143)
        #expect(ContinuousClock.now - began < .seconds(3))
    }

    @Test func `leave other people's processes alone when not process 1`() throws {
        let bystander = try Subprocess.start("sleep", ["60"])
        _ = try InitProcess.run(["--env-only", "sh", "-c", "sleep 60 & exit 0"], place: .ordinary)
        #expect(bystander.status == nil)
        bystander.signal(SIGKILL)
    }

    @Test func `reach stopped processes too`() throws {
        let output = try InitProcess.run([
            "--env-only", "--stop-grace", "20s", "sh", "-c",
            "setsid sh -c 'echo up; kill -STOP $$' & sleep 0.5; exit 2",
        ])
        #expect(output.status == 2)
        #expect(!output.errorText.contains("killing"))
    }
}

extension InitProcess.Place: CustomTestStringConvertible {
    var testDescription: String { self == .processOne ? "process 1" : "any process" }
}
