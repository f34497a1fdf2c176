import Cryptography
import TestSupport
import Testing
import VolumeFormat

@Suite(.requires(.tool("rclone"))) struct `Configurations, beside rclone` {
    private func read(
        _ rclone: Rclone,
        _ password: String = Rclone.password
    ) throws
        -> RcloneConfiguration
    {
        try rclone.directory.read("encrypt.conf").withUnsafeBytes {
            try RcloneConfiguration(decrypting: $0, password: SecretBytes(copying: password.utf8))
        }
    }

    @Test func `that we wrote are shown by rclone as they are`() throws {
        let volume = try RcloneVolumeConfiguration.new(
            nameEncryption: .obfuscate,
            nameEncoding: .base64,
            directoryNames: false,
            suffix: ".x",
            password2: true
        )
        let rclone = try Rclone(volume)
        let shown = try rclone("config", "show").standardOutput
        #expect(volume.configuration.text.isEqual(to: SecretBytes(copying: shown)))
        let password = try rclone(
            "reveal",
            volume.configuration.value("password", of: "encrypted_storage") ?? ""
        )
        #expect(
            volume.password.isEqual(
                to: SecretBytes(copying: password.standardOutput.filter { $0 != 0x0a })
            )
        )
    }

    @Test func `that rclone rewrote are read`() throws {
        let rclone = try Rclone(.new())
        let before = try rclone.directory.read("encrypt.conf")
        try rclone(
            "config",
            "create",
            "--obscure",
            "second",
            "crypt",
            "remote=storage:/elsewhere",
            "password=another one",
            "password2=and its salt",
            "filename_encoding=base64",
            "filename_encryption=standard",
            "--non-interactive"
        )
        #expect(try rclone.directory.read("encrypt.conf") != before)
        let configuration = try read(rclone)
        #expect(configuration.remoteNames == ["storage", "encrypted_storage", "second"])
        let volume = try RcloneVolumeConfiguration(configuration, remote: "second")
        #expect(volume.password.isEqual(to: SecretBytes(copying: "another one".utf8)))
        #expect(volume.password2?.isEqual(to: SecretBytes(copying: "and its salt".utf8)) == true)
        #expect(volume.remotePath == "/elsewhere")
        #expect(volume.nameEncoding == .base64)
        #expect(try RcloneVolumeConfiguration(configuration).remoteName == "encrypted_storage")
    }

    @Test(arguments: ["ascii only", " blanks around ", "pässwörd ß€", "пароль 密码", "🔑\u{1f3fb}"])
    func `under a password open in rclone, or we refuse it`(password: String) throws {
        let directory = try TemporaryDirectory()
        let configuration = try RcloneVolumeConfiguration.new().configuration
        try directory.write(
            configuration.encrypted(password: SecretBytes(copying: password.utf8)),
            to: "c"
        )
        let shown = try Subprocess.run(
            "rclone",
            ["--config", directory("c"), "--ask-password=false", "config", "show"],
            environment: ["PATH": "/usr/bin:/bin", "RCLONE_CONFIG_PASS": password]
        )
        #expect(shown.status == 0)
        #expect(configuration.text.isEqual(to: SecretBytes(copying: shown.standardOutput)))
    }
}
