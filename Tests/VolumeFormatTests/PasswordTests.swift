import Cryptography
import Testing
import VolumeFormat

@Suite struct `Passwords of configurations` {
    private func encrypt(_ password: some Collection<UInt8>) throws -> [UInt8] {
        try RcloneConfiguration(parsing: SecretBytes(copying: "[r]\n".utf8))
            .encrypted(password: SecretBytes(copying: password))
    }

    @Test(arguments: ["x", " x ", "pässwörd", "ß€—“”", "пароль", "密码", "パスワード", "🔑", "한글"])
    func `that stand in their final form are taken`(password: String) throws {
        #expect(try !encrypt(password.utf8).isEmpty)
    }

    @Test(
        arguments: [
            ("a\u{308}", 2), ("x²", 2), ("ﬁ", 1), ("ab½", 3), ("\u{212b}", 1), ("ｗｉｄｅ", 1),
            ("\u{a0}", 1),
            ("x\u{327}", 2), ("™", 1), ("\u{1100}\u{1161}", 2),
            ("x\u{5b4}\u{5b0}", 3),
        ])
    func `that rclone would rewrite are refused by place`(password: String, position: Int) {
        #expect(throws: VolumeFormatError.password(.notNormalized(position: position))) {
            try encrypt(password.utf8)
        }
    }

    @Test(arguments: ["", " ", "\t\n", "\u{2003}\u{3000}"])
    func `of nothing but white space are refused`(password: String) {
        #expect(throws: VolumeFormatError.self) { try encrypt(password.utf8) }
    }

    @Test(arguments: [[0x80], [0x61, 0xff], [0xc3], [0xed, 0xa0, 0x80]] as [[UInt8]])
    func `that are not text are refused`(password: [UInt8]) {
        #expect(throws: VolumeFormatError.password(.notText)) { try encrypt(password) }
    }
}
