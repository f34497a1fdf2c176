import CryptFS
import Cryptography
import Foundation
import TestSupport
import Testing

@testable import VolumeFormat

/// The original program's demonstration, copied to where it may be changed.
final class DemoVolume {
    static let password = "my-password-eQ4al9jgPxlWDwxL6uiGdznhhVJzaVQPnkNRjwvwoTvqWpeBJJJZ"

    /// What the original made of a variable under that password.
    static let encryptedVariable =
        "b2c8955bad9bc7520e09f42e7a24b34860745b6fad240368dcc201d2d175938f"
        + "55b5a404265c09f848c758aeb4248b7b32d63d1baad66a"

    let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
        let demo = Fixtures.path("secure-store-demo")
        for name in ["storage", "encrypt.conf"] {
            try FileManager.default.copyItem(atPath: "\(demo)/\(name)", toPath: directory(name))
        }
        try directory.write(Self.password, to: "key", mode: 0o600)
        // Another user's command finds its way to the view.
        chmod(directory.path, 0o755)
    }

    /// Where the view is.
    var view: String { directory("decrypted") }

    /// The arguments of secure-init.
    var options: [String] { ["--key-source", "file:\(directory("key"))"] }

    /// The key, and what is derived from it: what the worker holds is the last.
    func secrets() throws -> [[UInt8]] {
        let configuration = try #require(
            try VolumeConfigurationFile(path: directory("encrypt.conf"))
                .read(key: SecretBytes(copying: Self.password.utf8))
        )
        let derived = try configuration.makeKeys().dataKey.withUnsafeBytes { Array($0) }
        return [Array(Self.password.utf8), derived]
    }
}
