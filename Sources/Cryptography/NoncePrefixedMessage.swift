// Whole messages of nonce ‖ ciphertext ‖ tag under a random nonce, for what is small and secret.

extension AESGCM {
    /// What a message is longer than its plaintext, in bytes: nonce (12) and tag (16).
    public static let messageOverhead = 12 + tagCount

    /// Seals a secret under a random nonce.
    ///
    /// - Parameters:
    ///   - plaintext: Any length up to 2 GiB.
    ///   - key: 32 bytes; good for 2^32 messages.
    /// - Returns: nonce (12) ‖ ciphertext ‖ tag (16).
    /// - Throws: ``CryptographyError/library(function:reason:)``.
    public static func sealMessage(
        _ plaintext: SecretBytes,
        key: SecretBytes
    ) throws(CryptographyError) -> SecretBytes {
        let cipher = try AESGCM(key: key)
        return try SecretBytes(count: plaintext.count + messageOverhead) {
            message throws(CryptographyError) in
            let (nonce, sealed) = message.split(at: 12)
            RandomBytes.fill(nonce)
            try plaintext.withUnsafeBytes { plaintext throws(CryptographyError) in
                try cipher.seal(plaintext, nonce: UnsafeRawBufferPointer(nonce), into: sealed)
            }
        }
    }

    /// Opens what ``sealMessage(_:key:)`` made.
    ///
    /// - Throws: ``CryptographyError/authenticationFailed``, also for a message too short to be one;
    ///   ``CryptographyError/library(function:reason:)``.
    public static func openMessage(
        _ message: UnsafeRawBufferPointer,
        key: SecretBytes
    ) throws(CryptographyError) -> SecretBytes {
        guard message.count >= messageOverhead else { throw .authenticationFailed }
        let (nonce, sealed) = message.split(at: 12)
        return try SecretBytes(count: message.count - messageOverhead) {
            plaintext throws(CryptographyError) in
            guard !ProcessorAESGCM.isAvailable else {
                try ProcessorAESGCM.open(sealed, key: key, nonce: nonce, into: plaintext)
                return
            }
            let cipher = try AESGCM(key: key)
            try cipher.open(sealed, nonce: nonce, into: plaintext)
        }
    }
}

extension XChaCha20Poly1305 {
    /// What a message is longer than its plaintext, in bytes: nonce (24) and tag (16).
    public static let messageOverhead = nonceCount + tagCount

    /// Seals a secret under a random nonce.
    ///
    /// - Parameters:
    ///   - plaintext: Any length.
    ///   - key: 32 bytes.
    ///   - associatedData: Authenticated, not stored.
    /// - Returns: nonce (24) ‖ ciphertext ‖ tag (16).
    public static func sealMessage(
        _ plaintext: SecretBytes,
        key: SecretBytes,
        associatedData: [UInt8] = []
    ) -> SecretBytes {
        SecretBytes(count: plaintext.count + messageOverhead) { message in
            let (nonce, sealed) = message.split(at: nonceCount)
            RandomBytes.fill(nonce)
            plaintext.withUnsafeBytes { plaintext in
                associatedData.withUnsafeBytes { data in
                    seal(
                        plaintext,
                        key: key,
                        nonce: UnsafeRawBufferPointer(nonce),
                        associatedData: data,
                        into: sealed
                    )
                }
            }
        }
    }

    /// Opens what ``sealMessage(_:key:associatedData:)`` made.
    ///
    /// - Throws: ``CryptographyError/authenticationFailed``, also for a message too short to be one.
    public static func openMessage(
        _ message: UnsafeRawBufferPointer,
        key: SecretBytes,
        associatedData: [UInt8] = []
    ) throws(CryptographyError) -> SecretBytes {
        guard message.count >= messageOverhead else { throw .authenticationFailed }
        let (nonce, sealed) = message.split(at: nonceCount)
        return try SecretBytes(count: message.count - messageOverhead) {
            plaintext throws(CryptographyError) in
            try associatedData.withUnsafeBufferPointer { data throws(CryptographyError) in
                try open(
                    sealed,
                    key: key,
                    nonce: nonce,
                    associatedData: UnsafeRawBufferPointer(data),
                    into: plaintext
                )
            }
        }
    }
}

extension UnsafeRawBufferPointer {
    fileprivate func split(at index: Int) -> (UnsafeRawBufferPointer, UnsafeRawBufferPointer) {
        (Self(rebasing: self[..<index]), Self(rebasing: self[index...]))
    }
}

extension UnsafeMutableRawBufferPointer {
    fileprivate func split(
        at index: Int
    ) -> (UnsafeMutableRawBufferPointer, UnsafeMutableRawBufferPointer) {
        (Self(rebasing: self[..<index]), Self(rebasing: self[index...]))
    }
}
