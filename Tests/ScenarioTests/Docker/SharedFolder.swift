import Foundation
import TestSupport

/// A folder of the host whose mounts a container can add to, as `rshared` needs it.
final class SharedFolder: Sendable {
    private let directory: TemporaryDirectory

    /// The folder.
    var path: String { directory.path }

    /// Makes it a mount of its own, shared with whoever is given it.
    init() throws {
        directory = try TemporaryDirectory()
        for arguments in [
            ["--bind", directory.path, directory.path], ["--make-shared", directory.path],
        ] {
            let output = try Subprocess.run("mount", arguments)
            guard output.status == 0 else { throw Docker.Failure(description: output.errorText) }
        }
    }

    deinit {
        for mount in mounts() + [path] { _ = try? Subprocess.run("umount", ["--lazy", mount]) }
    }

    /// The mount points below it.
    func mounts() -> [String] {
        let table = (try? String(contentsOfFile: "/proc/self/mounts", encoding: .utf8)) ?? ""
        return table.split(separator: "\n").compactMap { line in
            let fields = line.split(separator: " ")
            guard fields.count > 1, fields[1].hasPrefix("\(path)/") else { return nil }
            return String(fields[1])
        }
    }
}
