import Cryptography
import TestSupport
import Testing

@testable import VolumeFormat

@Suite struct `Vectors of the format` {
    @Test func `of keys`() throws {
        for vector in try Vectors.read("rclone-keys.txt") {
            let keys = try RcloneKeys(
                password: SecretBytes(copying: vector["password"]),
                salt: SecretBytes(copying: vector["salt"])
            )
            for (key, name) in [
                (keys.dataKey, "data key"), (keys.nameKey, "name key"),
                (keys.nameTweak, "name tweak"),
            ] {
                #expect(key.isEqual(to: SecretBytes(copying: vector[name])), "\(vector) \(name)")
            }
        }
    }

    @Test func `of names under keys of zeros`() throws {
        let keys = try RcloneKeys(
            password: SecretBytes(copying: []),
            salt: SecretBytes(copying: [1])
        )
        for vector in try Vectors.read("rclone-names.txt") {
            for encoding in [NameEncoding.base32, .base64] {
                let names = try RcloneNames(
                    keys: keys,
                    encryption: .standard,
                    encoding: encoding,
                    directoryNames: true
                )
                let stored = Array(vector.text(encoding.rawValue).utf8)
                #expect(try names.encryptFileName(vector["name"]) == stored, "\(vector)")
                #expect(try names.decryptFileName(stored) == vector["name"], "\(vector)")
            }
        }
    }
}
