import Foundation
import TestSupport
import Testing

/// `docs/fleet-guide.md`, as a reader pastes it.
///
/// What stands for balena is in `Tests/Fixtures/balena`: its API, and its command with ten containers
/// behind it, which get the variables that the API holds and nothing else. Both live in a network
/// namespace where `api.balena-cloud.com` is that API, so not a word of the commands is changed for it.
@Suite(
    .requires(
        .docker,
        .executables,
        .fuse,
        .tool("busybox"),
        .tool("python3"),
        .tool("unshare"),
        .tool("ip")
    )
)
struct `The fleet guide` {
    private static let root = URL(fileURLWithPath: Fixtures.path("..")).standardizedFileURL
        .deletingLastPathComponent().path

    @Test(.timeLimit(.minutes(5)))
    func `leads from nothing to ten devices, and to the day one is stolen`() throws {
        let base = try Image.distribution.get()
        try Docker.succeed("tag", base, "debian:bookworm-slim")
        let prefix = Docker.uniqueName("guide")
        defer { Self.clean(prefix) }
        let guide = try Guide(prefix: prefix)
        let text = try String(contentsOfFile: "\(Self.root)/docs/fleet-guide.md", encoding: .utf8)
        let output = try guide.run(Self.commands(in: text))

        #expect(output.status == 0, "\(output.errorText)")
        let said = output.text
        #expect(said.contains("elsewhere it gets nothing"))
        #expect(said.contains("[10/10] shop-10, device \(Guide.uuid(10)): created MTLS_CERT"))
        // Of each device, what it wrote last.
        for number in 1...10 {
            let log = try Docker.run(["logs", "\(prefix)-shop-\(number)"])
            let text = log.text + log.errorText
            if number == 3 {
                #expect(text.contains("[device_revoked]"), "\(text)")
                #expect(!text.contains("API_KEY has"))
            } else {
                #expect(text.contains("API_KEY has 18 characters"), "\(text)")
                #expect(text.contains("started 3 times with this volume"), "\(text)")
            }
        }
        #expect(said.contains("device_revoked"), "the record's last entry names the refusal")
        let state = try guide.read("api/state.json") + guide.read("api/requests.json")
        #expect(!state.contains("sk-live-0123456789"))
        #expect(state.contains("ENCRYPTED_API_KEY"))
        let keys = try guide.administer("key", "list")
        #expect(keys.contains("retired"), "\(keys)")
        // What is copied away opens nothing by itself, and is a whole store.
        let restored = try Subprocess.run(
            Executables.secureStore,
            ["operator", "restore", "backup.db", "--state", "restored"],
            directory: guide.directory("fleet")
        )
        #expect(restored.status == 0, "\(restored.errorText)")
    }

    /// Every shell block of the page, in order.
    private static func commands(in text: String) throws -> String {
        var script = text.components(separatedBy: "```").enumerated()
            .filter { $0.offset % 2 == 1 && $0.element.hasPrefix("sh\n") }
            .map { String($0.element.dropFirst(3)) }.joined()
        for (words, others) in [
            // What is being tested is built already.
            ("make image\n", "scripts/image\n"),
            // The port may be another's here. The devices call the container's own address.
            ("--publish 8443:8443", "--publish 127.0.0.1::8443"),
            // The reader's own addresses: here those of Docker's networks.
            ("203.0.113.0/24", "172.16.0.0/12"), ("203.0.113.7", "172.17.0.9"),
        ] {
            try #require(script.contains(words))
            script = script.replacing(words, with: others)
        }
        return script
    }

    private static func clean(_ prefix: String) {
        let names = (1...10).map { "\(prefix)-shop-\($0)" }
        for arguments in [
            ["rm", "--force", "--volumes", "fleet-keys"] + names,
            ["volume", "rm", "--force"] + names.map { "\($0)-data" },
            ["rmi", "--force", "\(prefix)-app", "debian:bookworm-slim"],
        ] {
            _ = try? Docker.run(arguments)
        }
    }
}

/// A place where the guide's commands can be pasted.
private struct Guide {
    let directory: TemporaryDirectory
    private let prefix: String

    /// A UUID as balena makes them.
    static func uuid(_ number: Int) -> String {
        String(repeating: "a", count: 32 - "\(number)".count) + "\(number)"
    }

    init(prefix: String) throws {
        directory = try TemporaryDirectory()
        self.prefix = prefix
        let root = Fixtures.path("../..")
        for name in ["scripts", "Tests", "examples", "Dockerfile.prebuilt"] {
            try FileManager.default.createSymbolicLink(
                atPath: directory(name),
                withDestinationPath: "\(root)/\(name)"
            )
        }
        let dist = URL(fileURLWithPath: Executables.secureStore).deletingLastPathComponent().path
        try FileManager.default.createSymbolicLink(
            atPath: directory("dist"),
            withDestinationPath: dist
        )
        let world: [String: Any] = [
            "tokens": ["a-token-of-balena": ["acme/shops"]],
            "applications": [["id": 7, "slug": "acme/shops"]],
            "devices": (1...10).map { number -> [String: Any] in
                [
                    "id": number, "uuid": Self.uuid(number), "device_name": "shop-\(number)",
                    "application": 7,
                ]
            },
        ]
        try directory.write(JSONSerialization.data(withJSONObject: world), to: "api/world.json")
        try directory.write("a-token-of-balena", to: "home/.balena/token", mode: 0o600)
        try directory.write(
            "127.0.0.1 localhost api.balena-cloud.com\n",
            to: "hosts"
        )
        let authority = try Subprocess.run(
            Executables.secureStore,
            ["ca", "init", "--state", directory("ca"), "--hostname", "api.balena-cloud.com"]
        )
        try #require(authority.status == 0, "\(authority.errorText)")
        for name in ["server.pem", "server-key.pem"] {
            try directory.write(directory.read("ca/\(name)"), to: "api/\(name)", mode: 0o600)
        }
        try directory.write("", to: "bin/.keep")
        try FileManager.default.createSymbolicLink(
            atPath: directory("bin/balena"),
            withDestinationPath: Fixtures.path("balena/cloud.py")
        )
    }

    /// Runs commands where `api.balena-cloud.com` is the stand-in.
    func run(_ commands: String) throws -> Subprocess.Output {
        try directory.write("set -euo pipefail\n\(commands)", to: "guide.sh")
        let setting = """
            set -euo pipefail
            ip link set lo up
            mount --bind '\(directory("hosts"))' /etc/hosts
            mount --bind '\(directory("ca/ca.pem"))' /etc/ssl/certs/ca-certificates.crt
            python3 '\(Fixtures.path("balena/api.py"))' '\(directory("api"))' 443 &
            api=$!
            trap 'kill $api' EXIT
            until [ -e '\(directory("api/port"))' ]; do kill -0 $api; sleep 0.05; done
            bash '\(directory("guide.sh"))'
            """
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        return try Subprocess.run(
            "unshare",
            ["--mount", "--net", "--propagation", "private", "bash", "-c", setting],
            environment: Docker.environment.merging(
                [
                    "PATH": "\(directory("bin")):\(path)", "HOME": directory("home"),
                    "BALENA_STANDIN": directory("api"), "BALENA_STANDIN_PREFIX": prefix,
                    "BALENA_STANDIN_SERVER": "fleet-keys=keys.example.com",
                ],
                uniquingKeysWith: { $1 }
            ),
            directory: directory.path,
            timeout: 270
        )
    }

    func read(_ name: String) throws -> String {
        String(decoding: try directory.read(name), as: UTF8.self)
    }

    /// Runs the tool on the guide's server.
    func administer(_ arguments: String...) throws -> String {
        try Subprocess.run(
            Executables.secureStore,
            arguments + ["--state", directory("fleet/state")]
        ).text
    }
}
