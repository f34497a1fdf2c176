import Foundation
import TestSupport
import Testing

/// A directory in which the built tool and rclone work on one volume.
struct Workplace {
    static let key = "the volume's key"

    let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
    }

    /// Runs the tool in the directory, the key in STORE_PASSWORD unless said otherwise.
    @discardableResult
    func callAsFunction(
        _ arguments: String...,
        key: String? = key,
        input: String = "",
        timeout: Double = 60
    ) throws -> Subprocess.Output {
        try run(arguments, key: key, input: input, timeout: timeout)
    }

    /// The same, with the arguments in a list.
    @discardableResult
    func run(
        _ arguments: [String],
        key: String? = key,
        input: String = "",
        timeout: Double = 60
    ) throws -> Subprocess.Output {
        try Subprocess.run(
            Executables.secureStore,
            arguments,
            environment: environment(key),
            standardInput: Array(input.utf8),
            directory: directory.path,
            timeout: timeout
        )
    }

    /// Starts the tool in the directory.
    func start(_ arguments: String...) throws -> Subprocess { try start(arguments) }

    /// The same, with the arguments in a list.
    func start(_ arguments: [String]) throws -> Subprocess {
        try Subprocess.start(
            Executables.secureStore,
            arguments,
            environment: environment(Self.key),
            directory: directory.path
        )
    }

    func rclone(_ arguments: String...) throws -> Subprocess.Output {
        let output = try Subprocess.run(
            "rclone",
            ["--config", directory("encrypt.conf")] + arguments,
            environment: [
                "PATH": "/usr/bin:/bin", "HOME": directory.path, "RCLONE_CONFIG_PASS": Self.key,
            ],
            directory: directory.path
        )
        #expect(output.status == 0, "rclone \(arguments): \(output.errorText)")
        return output
    }

    func object(_ output: Subprocess.Output) throws -> [String: Any] {
        try #require(
            try JSONSerialization.jsonObject(with: Data(output.standardOutput)) as? [String: Any],
            "\(output.text) \(output.errorText)"
        )
    }

    /// A few files, a folder and a link.
    func makePlain() throws {
        try directory.write("hello\n", to: "plain/hello.txt")
        try directory.write([UInt8](repeating: 7, count: 200_000), to: "plain/folder/big")
        try FileManager.default.createSymbolicLink(
            atPath: directory("plain/link"),
            withDestinationPath: "hello.txt"
        )
    }

    func isSame(_ one: String, _ other: String) throws -> Bool {
        try Subprocess.run(
            "diff",
            ["-r", "--no-dereference", directory(one), directory(other)]
        ).status == 0
    }

    private func environment(_ key: String?) -> [String: String] {
        var environment = ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"]
        environment["STORE_PASSWORD"] = key
        return environment
    }
}
