internal import Cryptography

extension SecretBytes {
    /// Copies a text that a library insists on as a `String`.
    convenience init(text: String) {
        self.init(copying: text.utf8)
    }

    /// The bytes as the `String` that a library insists on; nobody wipes it.
    var text: String {
        withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
    }
}
