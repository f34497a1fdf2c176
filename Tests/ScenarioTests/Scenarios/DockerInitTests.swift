import Foundation
import TestSupport
import Testing

/// In the place of Docker's own init.
@Suite(.requires(.docker, .executables, .tool("busybox")))
struct `docker run --init` {
    private static let place = [
        "--init", "--volume", "\(Executables.secureInit):/sbin/docker-init:ro",
    ]

    @Test func `runs the command under secure-init, which is an init alone`() throws {
        let image = try Image(dockerfile: try Base.scratch.dockerfile())
        let output = try Docker.run(
            ["run", "--rm"] + Self.place + [
                "--env", "ENCRYPTED_X=no ciphertext", image.name,
                "sh", "-c", "cat /proc/1/comm; echo \"[$ENCRYPTED_X]\"; exit 7",
            ]
        )
        #expect(output.text == "docker-init\n[no ciphertext]\n", "\(output.errorText)")
        #expect(output.errorText.isEmpty, "it says nothing that tini does not")
        #expect(output.status == 7)
        // The control: this is ours, which takes options that tini does not know.
        let ours = try Docker.run(
            ["run", "--rm", "--entrypoint", "/sbin/docker-init", "--volume", Self.place[2]]
                + [image.name, "--version"]
        )
        #expect(ours.text.contains("secure-init"))
    }

    @Test func `stops, reaps, and answers for what cannot be run`() throws {
        let image = try Image(dockerfile: try Base.scratch.dockerfile())
        let container = try Container(
            image.name,
            options: Self.place,
            ["sh", "-c", "trap 'exit 6' TERM; (sh -c 'sleep 0.2' &); echo ready; sleep 600 & wait"]
        )
        #expect(container.waitForLog(containing: "ready"), "\(container.log)")
        let settled = waitUntil(timeout: 10) {
            let lines = (try? container.execute("sh", "-c", "cat /proc/[0-9]*/stat").text) ?? ""
            return !lines.contains(") Z ") && lines.components(separatedBy: "(sleep)").count == 2
        }
        #expect(settled, "zombies or orphans are left")
        #expect(try container.stop().code == 6)
        let missing = try Docker.run(
            ["run", "--rm"] + Self.place + [image.name, "/no/such/program"]
        )
        #expect(missing.status == 127)
    }
}
