import Foundation
import TestSupport
import Testing

/// The README's quick start, as a newcomer pastes it.
@Suite(.requires(.docker, .executables, .tool("busybox")))
struct `The README's quick start` {
    @Test(.timeLimit(.minutes(5)))
    func `does what it says, pasted line by line`() throws {
        let root = URL(fileURLWithPath: Fixtures.path("..")).standardizedFileURL
            .deletingLastPathComponent().path
        let readme = try String(contentsOfFile: "\(root)/README.md", encoding: .utf8)
        let script = try Self.commands(of: "## Quick start", in: readme)
        try #require(script.contains("make image\n"))

        // No registry is reached: the image that the README starts from is this machine's own.
        let base = try Image.distribution.get()
        try Docker.succeed("tag", base, "debian:bookworm-slim")
        defer {
            for arguments in [
                ["rm", "--force", "key-server"], ["network", "rm", "secure-store"],
                ["volume", "rm", "shop-data"], ["rmi", "my-app", "debian:bookworm-slim"],
            ] {
                _ = try? Docker.run(arguments)
            }
        }

        let directory = try TemporaryDirectory()
        for name in ["dist", "scripts", "Tests", "examples", "Dockerfile.prebuilt"] {
            try FileManager.default.createSymbolicLink(
                atPath: directory(name),
                withDestinationPath: "\(root)/\(name)"
            )
        }
        // `make image` without building again what is being tested.
        let output = try Subprocess.run(
            "bash",
            ["-euo", "pipefail", "-c", script.replacing("make image\n", with: "scripts/image\n")],
            environment: Docker.environment,
            directory: directory.path,
            timeout: 240
        )

        #expect(output.status == 0, "\(output.errorText)")
        #expect(output.text.contains("ENCRYPTED_API_KEY=v2."))
        #expect(output.text.contains("The API key is sk-live-0123456789"))
        let listing = output.text.components(separatedBy: "/data:").last ?? ""
        #expect(listing.contains("gocryptfs.conf"))
        #expect(!listing.contains("visits"), "the name is encrypted")
        let year = Calendar(identifier: .gregorian).component(.year, from: Date())
        let visits = output.text.components(separatedBy: "/data:")[0]
            .split(separator: "\n").filter { $0.contains(":") && $0.contains("\(year)") }
        #expect(visits.count == 3, "one line from the first start, two from the second")
    }

    /// The shell blocks below a heading, up to the next one of its level.
    private static func commands(of heading: String, in text: String) throws -> String {
        let parts = text.components(separatedBy: "\(heading)\n")
        let section = try #require(parts.dropFirst().first?.components(separatedBy: "\n## ").first)
        return section.components(separatedBy: "```").enumerated()
            .filter { $0.offset % 2 == 1 && $0.element.hasPrefix("sh\n") }
            .map { String($0.element.dropFirst(3)) }.joined()
    }
}
