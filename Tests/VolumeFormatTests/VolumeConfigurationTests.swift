import Cryptography
import Testing
import VolumeFormat

@Suite struct `Volumes of a configuration` {
    /// rclone obscured: "secret one", "salt two".
    private static let password = "oZv_UlTZLpsq_j7M3VXyIWXsH_3fsw6nHtE"
    private static let password2 = "vgypYqEvskUlKhAgj3i5bz_4RFlPacTs"

    private func volume(_ text: String, remote: String? = nil) throws -> RcloneVolumeConfiguration {
        try RcloneVolumeConfiguration(
            RcloneConfiguration(parsing: SecretBytes(copying: text.utf8)),
            remote: remote
        )
    }

    private func crypt(_ options: String, name: String = "c") throws -> RcloneVolumeConfiguration {
        try volume(
            "[\(name)]\ntype = crypt\nremote = /data\npassword = \(Self.password)\n\(options)\n"
        )
    }

    @Test func `have their passwords revealed`() throws {
        let volume = try crypt("password2 = \(Self.password2)")
        #expect(volume.password.isEqual(to: SecretBytes(copying: "secret one".utf8)))
        let salt = try #require(volume.password2)
        #expect(salt.isEqual(to: SecretBytes(copying: "salt two".utf8)))
    }

    @Test func `have rclone's defaults`() throws {
        let volume = try crypt("")
        #expect(volume.remoteName == "c")
        #expect(volume.remotePath == "/data")
        #expect(volume.password2 == nil)
        #expect(volume.nameEncryption == .standard)
        #expect(volume.nameEncoding == .base32)
        #expect(volume.encryptsDirectoryNames)
        #expect(volume.suffix == ".bin")
    }

    @Test func `have what is set`() throws {
        let volume = try crypt(
            """
            filename_encryption = Obfuscate
            filename_encoding = BASE32768
            directory_name_encryption = false
            suffix = none
            no_data_encryption = false
            pass_bad_blocks = 0
            show_mapping = true
            """
        )
        #expect(volume.nameEncryption == .obfuscate)
        #expect(volume.nameEncoding == .base32768)
        #expect(!volume.encryptsDirectoryNames)
        #expect(volume.suffix == "")
        #expect(try crypt("suffix = jpg").suffix == ".jpg")
        #expect(try crypt("filename_encryption = off").nameEncryption == .off)
        #expect(try crypt("filename_encoding = base64").nameEncoding == .base64)
    }

    @Test(
        arguments: [
            ("no_data_encryption", "true"), ("pass_bad_blocks", "true"), ("pass_bad_blocks", "1"),
            ("pass_bad_blocks", "yes"), ("filename_encryption", "rot13"),
            ("filename_encoding", "base85"), ("directory_name_encryption", "perhaps"),
            ("suffix", "a/b"), ("filename_encryption", "%(x)s"),
        ])
    func `with an option that is not supported are refused by its name`(
        option: String,
        value: String
    ) {
        #expect(
            throws: VolumeFormatError.configuration(
                .optionUnsupported(remote: "c", option: option, value: value)
            )
        ) { try crypt("\(option) = \(value)") }
    }

    @Test(
        arguments: [
            ("", ConfigurationFault.noVolume), ("[c]\ntype = local\n", .noVolume),
            ("[c]\ntype = crypt\n", .optionMissing(remote: "c", option: "password")),
            (
                "[c]\ntype = crypt\npassword = PASSWORD\n",
                .optionMissing(remote: "c", option: "remote")
            ),
            (
                "[c]\ntype = crypt\npassword = x\n",
                .passwordNotObscured(remote: "c", option: "password")
            ),
            (
                "[c]\ntype = crypt\npassword = PASSWORD\npassword2 = ~\n",
                .passwordNotObscured(remote: "c", option: "password2")
            ),
            ("[c]\ntype = crypt\npassword = PASSWORD\nremote = d:x\n", .remoteMissing(name: "d")),
            (
                "[d]\ntype = s3\n[c]\ntype = crypt\npassword = PASSWORD\nremote = d:x\n",
                .remoteType(name: "d", type: "s3")
            ),
            (
                "[c]\ntype = crypt\npassword = PASSWORD\nremote = c:x\n",
                .remoteType(name: "c", type: "crypt")
            ),
            (
                "[d]\ntype = local\nencoding = None\n[c]\ntype = crypt\npassword = PASSWORD\nremote = d:x\n",
                .optionUnsupported(remote: "d", option: "encoding", value: "None")
            ),
            ("[c]\ntype = crypt\n[d]\ntype = crypt\n", .severalVolumes(names: ["c", "d"])),
        ])
    func `that cannot be used are refused`(text: String, fault: ConfigurationFault) {
        #expect(throws: VolumeFormatError.configuration(fault)) {
            try volume(text.replacing("PASSWORD", with: Self.password))
        }
    }

    @Test func `are chosen by name, or as the original called it`() throws {
        let one = "type = crypt\nremote = one\npassword = \(Self.password)\n"
        let text = "[a]\n\(one)[encrypted_storage]\n\(one)[b]\ntype = local\n"
        #expect(try volume(text).remoteName == "encrypted_storage")
        #expect(try volume(text, remote: "a").remoteName == "a")
        #expect(throws: VolumeFormatError.configuration(.remoteType(name: "b", type: "local"))) {
            try volume(text, remote: "b")
        }
        #expect(throws: VolumeFormatError.configuration(.remoteMissing(name: "z"))) {
            try volume(text, remote: "z")
        }
    }

    @Test(
        arguments: [
            ("storage", "storage"), ("/a/b:c", "/a/b:c"), ("./x:y", "./x:y"), ("l:", ""),
            ("l:sub/dir", "sub/dir"), (":local:/x", "/x"),
        ])
    func `know the directory they encrypt`(remote: String, path: String) throws {
        let found = try volume(
            "[l]\ntype = local\n[c]\ntype = crypt\nremote = \(remote)\npassword = \(Self.password)\n"
        )
        #expect(found.remotePath == path)
    }

    @Test func `that are new look as the original made them`() throws {
        let volume = try RcloneVolumeConfiguration.new()
        let configuration = volume.configuration
        #expect(configuration.remoteNames == ["storage", "encrypted_storage"])
        #expect(configuration.options(of: "storage") == ["type"])
        #expect(
            configuration.options(of: "encrypted_storage") == ["type", "remote", "password"]
        )
        #expect(volume.remotePath == "storage")
        // 1024 bits in base64url.
        #expect(volume.password.count == 171)
        let other = try RcloneVolumeConfiguration.new()
        #expect(!volume.password.isEqual(to: other.password))
    }

    @Test func `that are new keep what was asked for`() throws {
        let volume = try RcloneVolumeConfiguration.new(
            nameEncryption: .off,
            nameEncoding: .base64,
            directoryNames: false,
            suffix: "",
            password2: true
        )
        let again = try RcloneVolumeConfiguration(
            RcloneConfiguration(parsing: volume.configuration.text)
        )
        #expect(again.nameEncryption == .off)
        #expect(again.nameEncoding == .base64)
        #expect(!again.encryptsDirectoryNames)
        #expect(again.suffix == "")
        #expect(again.password2?.count == 171)
        for suffix in ["bin", ".a/b", ".\n", ". ", ".`", ".%(x)s"] {
            #expect(
                throws: VolumeFormatError.configuration(.notRepresentable(option: "suffix"))
            ) { try RcloneVolumeConfiguration.new(suffix: suffix) }
        }
    }
}
