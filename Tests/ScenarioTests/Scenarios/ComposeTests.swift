import Foundation
import TestSupport
import Testing

/// `docker-compose.yml`: a server, a device with a volume, a sensor with variables only.
@Suite(
    .requires(.docker, .executables, .fuse, .tool("docker-compose"), .tool("busybox"))
)
struct `The compose file` {
    private static let services = ["server", "device", "sensor"]

    @Test func `unlocks a device and a sensor that were there before their server`() throws {
        let project = try ComposeProject()
        try project.up()

        for service in ["device", "sensor"] {
            let ready = waitUntil(timeout: 60) {
                usleep(200_000)
                return project.log(of: service).contains("application: ready")
            }
            let log = project.log(of: service)
            #expect(ready, "\(service): \(log) server: \(project.log(of: "server"))")
            #expect(log.contains("its variable TESTVAR is \(Original.variable)"))
            #expect(!log.contains("should not"))
        }
        let log = project.log(of: "device")
        for line in Original.checksums.split(separator: "\n") { #expect(log.contains(line)) }

        let begin = Date()
        try project.compose("stop", "--timeout", "10")
        #expect(Date().timeIntervalSince(begin) < 5, "three services, none of them killed")
        #expect(try project.exitCode(of: "device") == 42)
        #expect(try project.exitCode(of: "sensor") == 42)
        #expect(try project.exitCode(of: "server") == 0)
    }

    @Test func `finds its certificates and data again at the next start`() throws {
        let project = try ComposeProject()
        for _ in 1...2 {
            try project.up()
            let ready = waitUntil(timeout: 60) {
                usleep(200_000)
                return project.log(of: "device").contains("application: ready")
            }
            #expect(ready, "\(project.log(of: "device")) \(project.log(of: "server"))")
            try project.compose("down")
        }
    }
}

/// The compose file under a project name of its own.
private final class ComposeProject: Sendable {
    private let name = Docker.uniqueName("compose")
    private let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../../..").standardizedFileURL.path
    private let environment: [String: String]

    /// Builds the images, under names of the tests' own.
    init() throws {
        let prefix = "\(name)-"
        environment = Docker.environment.merging(["IMAGE_PREFIX": prefix], uniquingKeysWith: { $1 })
        let output = try Subprocess.run("\(root)/scripts/image", [prefix], timeout: 300)
        guard output.status == 0 else { throw Docker.Failure(description: output.errorText) }
    }

    deinit {
        _ = try? compose("down", "--volumes", "--timeout", "5")
        let images = ["secure-init", "secure-store", "secure-store-demo"].map { "\(name)-\($0)" }
        _ = try? Docker.run(["rmi", "--force"] + images)
    }

    func up() throws { try compose("up", "--detach", "--no-build") }

    @discardableResult
    func compose(_ arguments: String...) throws -> String {
        let output = try Subprocess.run(
            "docker-compose",
            ["--project-name", name, "--file", "\(root)/docker-compose.yml"] + arguments,
            environment: environment,
            timeout: 120
        )
        guard output.status == 0 else { throw Docker.Failure(description: output.errorText) }
        return output.text
    }

    func log(of service: String) -> String {
        (try? compose("logs", "--no-color", service)) ?? ""
    }

    func exitCode(of service: String) throws -> Int32? {
        let container = try compose("ps", "--quiet", service)
            .trimmingCharacters(in: .whitespacesAndNewlines)
        return Int32(try Docker.succeed("inspect", "--format", "{{.State.ExitCode}}", container))
    }
}
