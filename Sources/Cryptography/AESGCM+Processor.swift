internal import CSodium

extension AESGCM {
    /// Whether the processor has instructions for it; without them it is slow, and its time tells of
    /// the key.
    ///
    /// C: `crypto_aead_aes256gcm_is_available`; on arm64 `getauxval`.
    public static var isFast: Bool {
        SecretBytes.libraryIsReady
        return csodium_has_aes() != 0
    }
}
