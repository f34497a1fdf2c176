import Cryptography
import Foundation
import KeyProtocol
import TestSupport

/// Keys and values as the original program made them, and fresh ones of ours.
enum Sample {
    static let password = "my-password-eQ4al9jgPxlWDwxL6uiGdznhhVJzaVQPnkNRjwvwoTvqWpeBJJJZ"

    /// Written by the original program.
    static let value =
        "b2c8955bad9bc7520e09f42e7a24b34860745b6fad240368dcc201d2d175938f55b5a404265c09f848c758"
        + "aeb4248b7b32d63d1baad66a"
    static let plaintext = "this-is-my-new-test-api-key"

    /// AES-256-GCM under SHA-256 of "nul", of the three bytes "a", NUL, "b".
    static let valueWithNUL = "000102030405060708090a0b591169e6668330f53076980cdf1f218067e7b6"

    static func key(_ text: String) throws -> StoreKey {
        try StoreKey(SecretBytes(copying: text.utf8))
    }

    /// A generated key and its text.
    static func generatedKey() -> (key: StoreKey, text: String) {
        let key = StoreKey.generate()
        return (key, key.text.withUnsafeBytes { String(decoding: $0, as: UTF8.self) })
    }

    static func encrypt(
        _ text: String,
        as name: String,
        with key: StoreKey,
        form: EncryptedVariable.Form = .automatic
    ) throws -> String {
        try EncryptedVariable.encrypt(
            SecretBytes(copying: text.utf8),
            name: name,
            key: key,
            form: form
        )
    }

    /// A directory with the password in the file `key`.
    static func keyDirectory(_ text: String = password) throws -> TemporaryDirectory {
        let directory = try TemporaryDirectory()
        try directory.write("\(text)\n", to: "key", mode: 0o600)
        return directory
    }
}
