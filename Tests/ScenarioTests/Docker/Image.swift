import Foundation
import TestSupport

/// An image built for a test, removed when the last reference goes.
final class Image: Sendable {
    /// What containers are started from.
    let name: String

    /// Builds an image.
    ///
    /// - Parameters:
    ///   - dockerfile: Its text. `secure-init` and `secure-store` lie in the context, `busybox` too:
    ///     a static helper for images that hold nothing else.
    ///   - files: Further files of the context: path and text.
    /// - Throws: ``Docker/Failure`` with the engine's words.
    init(dockerfile: String, files: [String: String] = [:]) throws {
        let name = Docker.uniqueName("image")
        let context = try TemporaryDirectory()
        try context.write(dockerfile, to: "Dockerfile")
        for (path, text) in files { try context.write(text, to: path, mode: 0o755) }
        for executable in [
            Executables.secureInit, Executables.secureStore, "/bin/busybox",
        ] where dockerfile.contains(URL(fileURLWithPath: executable).lastPathComponent) {
            let copy = context(URL(fileURLWithPath: executable).lastPathComponent)
            try FileManager.default.copyItem(atPath: executable, toPath: copy)
        }
        try Docker.succeed("build", "--quiet", "--tag", name, context.path, timeout: 300)
        self.name = name
    }

    deinit {
        _ = try? Docker.run(["rmi", "--force", name])
    }

    /// This machine's distribution, as debootstrap makes it: a shell and the usual tools.
    static let distribution: Result<String, any Error> = Result {
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../../../scripts/base-image").standardizedFileURL.path
        let output = try Subprocess.run(script, timeout: 600)
        guard output.status == 0 else { throw Docker.Failure(description: output.errorText) }
        return output.text.trimmingCharacters(in: .newlines)
    }
}
