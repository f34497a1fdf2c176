import Foundation
import TestSupport

/// A directory with a key, in which secure-init makes and mounts a volume.
struct VolumeSandbox {
    let directory: TemporaryDirectory

    /// What has it find the key.
    let unlock: [String]

    init() throws {
        directory = try Sample.keyDirectory()
        unlock = ["--key-source", "file:\(directory("key"))"]
    }

    func run(
        _ arguments: [String],
        wrapper: [String] = [],
        timeout: Double = 60
    ) throws -> Subprocess.Output {
        try InitProcess.run(
            unlock + arguments,
            wrapper: wrapper,
            directory: directory.path,
            timeout: timeout
        )
    }

    /// One whose command runs, and does nothing.
    func running() throws -> InitProcess {
        let process = try InitProcess(
            unlock + ["sh", "-c", "echo up; sleep 60"],
            directory: directory.path
        )
        try process.process.waitForOutput(containing: "up")
        return process
    }

    /// Every file under the directory but the key, with its contents.
    func snapshot() throws -> [String: Data] {
        var files: [String: Data] = [:]
        let manager = FileManager.default
        for name in try manager.subpathsOfDirectory(atPath: directory.path) where name != "key" {
            files[name] = manager.contents(atPath: directory(name)) ?? Data()
        }
        return files
    }
}
