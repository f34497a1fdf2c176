import Cryptography
import Testing
import VolumeFormat

@Suite struct `Configurations` {
    private let password = SecretBytes(copying: "a password".utf8)

    private func parse(_ text: String) throws -> RcloneConfiguration {
        try RcloneConfiguration(parsing: SecretBytes(copying: text.utf8))
    }

    private func decrypt(
        _ file: some Sequence<UInt8>,
        _ password: SecretBytes? = nil
    ) throws
        -> RcloneConfiguration
    {
        try Array(file).withUnsafeBytes {
            try RcloneConfiguration(decrypting: $0, password: password ?? self.password)
        }
    }

    @Test(
        arguments: [
            ("[r]\nk = v\n", "v"), ("[r]\nk=v", "v"), ("[r]\nk: v\n", "v"),
            ("[r]\r\nk = v\r\n", "v"),
            ("\u{feff}[r]\nk = v\n", "v"), ("# c\n; d\n\n [ r ] \n  k  =  v w \t\n", "v w"),
            ("[r]\nk = a=b:c\n", "a=b:c"), ("[r]\nk = `  v `\n", "  v "),
            ("[r]\nk = \"v\"\n", "\"v\""),
            ("[r]\nk = \"\"\"a`b\"\"\"\n", "a`b"), ("[r]\n\"k\" = v\n", "v"),
            ("[r]\n`k` : v\n", "v"),
            ("[r]\nk = 1\nk = 2\n", "2"), ("[r]\nk = 1\n[s]\n[r]\nk = 2\n", "2"),
            ("[r]\nk =\n", ""),
            ("[r]\nk = v # not a comment\n", "v # not a comment"),
        ])
    func `are read as rclone reads them`(text: String, value: String) throws {
        #expect(try parse(text).value("k", of: "r") == value)
    }

    @Test(
        arguments: [
            ("[r]\nk\n", 2), ("[r]\n= v\n", 2), ("\n\n[]\nk = v\n", 4), ("[\n", 1), ("]\n", 1),
            ("[r]\n`k = v\n", 2),
            ("[r]\nk = `v\n", 2), ("x\n[r]\n", 1),
        ])
    func `with a broken line are refused by its number`(text: String, number: Int) {
        #expect(throws: VolumeFormatError.configuration(.line(number: number))) {
            try parse(text)
        }
    }

    @Test func `know their remotes in order`() throws {
        let configuration = try parse("top = 1\n[b]\nx = 1\ny = 2\n[a]\n[b.c]\nx = 3\n")
        #expect(configuration.remoteNames == ["DEFAULT", "b", "a", "b.c"])
        #expect(configuration.options(of: "b") == ["x", "y"])
        #expect(configuration.value("x", of: "b.c") == "3")
        #expect(configuration.value("y", of: "b.c") == "2")
        #expect(configuration.value("y", of: "a") == nil)
        #expect(configuration.secret("x", of: "nowhere") == nil)
    }

    @Test func `come back from encryption, each time in other bytes`() throws {
        let text = "# kept\n[r]\nk = v\n"
        let configuration = try parse(text)
        let first = try configuration.encrypted(password: password)
        let second = try configuration.encrypted(password: password)
        #expect(first != second)
        #expect(
            String(decoding: first, as: UTF8.self)
                .hasPrefix("# Encrypted rclone configuration File\n\nRCLONE_ENCRYPT_V0:\n")
        )
        for file in [first, second] {
            let read = try decrypt(file)
            #expect(read.text.isEqual(to: SecretBytes(copying: text.utf8)))
        }
    }

    @Test func `do not open with another password`() throws {
        let file = try parse("[r]\n").encrypted(password: password)
        for other in ["a passwore", "a password ", " a password", "A password"] {
            #expect(throws: VolumeFormatError.wrongPassword) {
                try decrypt(file, SecretBytes(copying: other.utf8))
            }
        }
    }

    @Test func `changed anywhere are refused`() throws {
        let file = try parse("[r]\nk = v\n").encrypted(password: password)
        for index in file.indices.dropFirst(39) {
            var damaged = file
            damaged[index] ^= 0x01
            #expect(throws: VolumeFormatError.self, "byte \(index)") { try decrypt(damaged) }
        }
        for count in 0..<file.count {
            #expect(throws: VolumeFormatError.self) { try decrypt(file.prefix(count)) }
        }
    }

    @Test(
        arguments: [
            ("", ConfigurationFault.notEncrypted), ("[r]\n", .notEncrypted),
            ("# RCLONE_ENCRYPT_V0:\n", .notEncrypted),
            ("RCLONE_ENCRYPT_V1:\nAAAA", .unknownEncryption), ("RCLONE_ENCRYPT_V0:", .notDecodable),
            ("RCLONE_ENCRYPT_V0:\n!", .notDecodable), ("RCLONE_ENCRYPT_V0:\nAAAA", .notDecodable),
            ("RCLONE_ENCRYPT_V0:\nAAAA=AAA", .notDecodable),
        ])
    func `that are no encrypted ones are refused`(file: String, fault: ConfigurationFault) {
        #expect(throws: VolumeFormatError.configuration(fault)) { try decrypt(file.utf8) }
    }

    @Test func `are bounded`() throws {
        let long = [UInt8](repeating: 0x0a, count: 65_537)
        #expect(throws: VolumeFormatError.configuration(.tooLong(found: 65_537))) {
            try decrypt(long)
        }
        #expect(throws: VolumeFormatError.configuration(.tooLong(found: 65_537))) {
            try RcloneConfiguration(parsing: SecretBytes(copying: long))
        }
        let text = SecretBytes(copying: long.prefix(60_000))
        #expect(throws: VolumeFormatError.self) {
            try RcloneConfiguration(parsing: text).encrypted(password: password)
        }
    }
}
