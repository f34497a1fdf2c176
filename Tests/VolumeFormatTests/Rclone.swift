import Cryptography
import TestSupport
import Testing
import VolumeFormat

/// A new volume in a directory of its own, and the installed rclone beside it.
struct Rclone {
    static let password = "the volume's key"

    let directory: TemporaryDirectory
    let keys: RcloneKeys
    let names: RcloneNames

    init(_ volume: RcloneVolumeConfiguration) throws {
        keys = try volume.makeKeys()
        names = try volume.makeNames(keys: keys)
        directory = try TemporaryDirectory()
        try directory.write(
            volume.configuration.encrypted(password: SecretBytes(copying: Self.password.utf8)),
            to: "encrypt.conf"
        )
    }

    /// Runs rclone on the volume's configuration, from the directory that holds `storage`.
    @discardableResult
    func callAsFunction(_ arguments: String...) throws -> Subprocess.Output {
        let output = try Subprocess.run(
            "rclone",
            ["--config", directory("encrypt.conf")] + arguments,
            environment: [
                "PATH": "/usr/bin:/bin", "HOME": directory.path,
                "RCLONE_CONFIG_PASS": Self.password,
            ],
            directory: directory.path
        )
        #expect(output.status == 0, "rclone \(arguments): \(output.errorText)")
        return output
    }

    /// Has rclone encrypt a folder's files.
    func encrypt(_ folder: String) throws {
        try self("copy", "--no-unicode-normalization", folder, "encrypted_storage:")
    }

    /// Has rclone decrypt the volume.
    func decrypt(to folder: String) throws {
        try self("copy", "--no-unicode-normalization", "encrypted_storage:", folder)
    }
}
