internal import Cryptography

extension KeyVault {
    /// Seals a key that tokens are signed with, with associated data `secure-store/token-key/v1` ‖
    /// 0x00 ‖ id.
    ///
    /// - Returns: What the database may hold.
    func sealTokenKey(_ bytes: SecretBytes, id: String) -> [UInt8] {
        XChaCha20Poly1305.sealMessage(bytes, key: key, associatedData: Self.place(ofTokenKey: id))
            .publicBytes
    }

    /// Opens a key that tokens are signed with.
    ///
    /// - Throws: ``KeyServerError/sealing(reason:)`` where it is not what was sealed there.
    func openTokenKey(_ sealed: [UInt8], id: String) throws(KeyServerError) -> SecretBytes {
        do {
            return try sealed.withUnsafeBytes {
                try XChaCha20Poly1305.openMessage(
                    $0,
                    key: self.key,
                    associatedData: Self.place(ofTokenKey: id)
                )
            }
        } catch {
            throw .sealing(
                reason: "the key \(id) that signs tokens is not what was sealed there: has the "
                    + "database been changed?"
            )
        }
    }

    private static func place(ofTokenKey id: String) -> [UInt8] {
        Array("secure-store/token-key/v1\u{0}\(id)".utf8)
    }
}
