import Foundation
import TestSupport
import Testing

/// `Tests/Fixtures/balena/api.py`, running: what stands for balena's API.
final class BalenaStub {
    static let token = "balena-token-0123456789abcdef"

    let directory: TemporaryDirectory
    let process: Subprocess
    let port: String

    /// Starts it.
    ///
    /// - Parameter world: What `api.py` says of `world.json`.
    /// - Throws: Where it does not start.
    init(_ world: [String: Any]) throws {
        directory = try TemporaryDirectory()
        let authority = try Subprocess.run(
            Executables.secureStore,
            ["ca", "init", "--state", directory("ca"), "--hostname", "localhost"]
        )
        try #require(authority.status == 0, "\(authority.errorText)")
        for name in ["server.pem", "server-key.pem"] {
            try directory.write(directory.read("ca/\(name)"), to: name, mode: 0o600)
        }
        try directory.write(JSONSerialization.data(withJSONObject: world), to: "world.json")
        process = try Subprocess.start("python3", [Fixtures.path("balena/api.py"), directory.path])
        let file = directory("port")
        try #require(
            waitUntil(timeout: 30) { FileManager.default.fileExists(atPath: file) },
            "\(process.errorText)"
        )
        port = String(decoding: try directory.read("port"), as: UTF8.self)
    }

    /// A fleet of devices, 1 to `count`, each with the service `till`.
    static func world(
        devices count: Int = 1,
        variables: [[String: Any]] = [],
        faults: [[String: Any]] = []
    ) -> [String: Any] {
        [
            "tokens": [token: ["acme/shops"], "reader": []],
            "applications": [["id": 1, "slug": "acme/shops"], ["id": 2, "slug": "other/fleet"]],
            "devices": (1...count).map { number -> [String: Any] in
                [
                    "id": number, "uuid": uuid(number), "device_name": "shop-\(number)",
                    "application": 1,
                ]
            } + [["id": 9999, "uuid": uuid(9999), "device_name": "theirs", "application": 2]],
            "services": [["id": 1, "application": 1, "service_name": "till"]],
            "installs": (1...count).map { ["id": $0, "device": $0, "service": 1] },
            "variables": variables,
            "faults": faults,
        ]
    }

    /// A UUID as balena makes them.
    static func uuid(_ number: Int) -> String {
        String(repeating: "0", count: 32 - "\(number)".count) + "\(number)"
    }

    /// One that is there already.
    static func variable(_ name: String, _ value: String, device: Int = 1) -> [String: Any] {
        [
            "resource": "device_environment_variable", "device": device, "name": name,
            "value": value,
        ]
    }

    /// Runs `secure-store balena …` with the token.
    func run(
        _ arguments: [String],
        input: String = "",
        environment: [String: String] = ["BALENA_TOKEN": token],
        api: String? = nil
    ) throws -> Subprocess.Output {
        try Subprocess.run(
            Executables.secureStore,
            ["balena", arguments[0], "--ca", directory("ca/ca.pem"), "--rate", "100"]
                + ["--api", api ?? "https://localhost:\(port)"] + arguments.dropFirst(),
            environment: ["PATH": "/usr/bin:/bin"].merging(environment) { $1 },
            standardInput: Array(input.utf8)
        )
    }

    /// The variables: by resource, owner and name.
    func state() throws -> [String: [String: [String: String]]] {
        let state = try JSONSerialization.jsonObject(with: Data(directory.read("state.json")))
        return try #require(state as? [String: [String: [String: String]]])
    }

    /// The variables of a device.
    func device(_ number: Int) throws -> [String: String] {
        try state()["device_environment_variable"]?["\(number)"] ?? [:]
    }

    /// What was asked, in order.
    func requests() throws -> [[String: Any]] {
        guard FileManager.default.fileExists(atPath: directory("requests.json")) else { return [] }
        return try String(decoding: directory.read("requests.json"), as: UTF8.self)
            .split(separator: "\n").map { line in
                try #require(
                    JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
                )
            }
    }

    /// How many requests changed something, or tried to.
    func writes() throws -> Int {
        try requests().filter { $0["method"] as? String != "GET" }.count
    }
}
