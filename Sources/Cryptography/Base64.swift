internal import CSodium

/// Base64, RFC 4648 §4 and §5, in time that does not depend on the data.
///
/// C: `sodium_bin2base64`, `sodium_base642bin`.
public enum Base64 {
    /// Which alphabet, and whether the end is padded.
    public enum Variant: Sendable {
        /// `+` and `/`, padded with `=`.
        case standard

        /// `-` and `_`, unpadded.
        case url

        /// `-` and `_`, padded with `=`.
        case urlPadded

        var code: Int32 {
            switch self {
            case .standard: sodium_base64_VARIANT_ORIGINAL
            case .url: sodium_base64_VARIANT_URLSAFE_NO_PADDING
            case .urlPadded: sodium_base64_VARIANT_URLSAFE
            }
        }

        var name: String {
            switch self {
            case .standard: "base64"
            case .url: "base64url"
            case .urlPadded: "padded base64url"
            }
        }
    }

    /// Encodes public bytes.
    public static func encode(_ bytes: UnsafeRawBufferPointer, as variant: Variant) -> String {
        encodeSecret(bytes, as: variant).withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
    }

    /// Encodes bytes whose text is a secret too.
    public static func encodeSecret(
        _ bytes: UnsafeRawBufferPointer,
        as variant: Variant
    ) -> SecretBytes {
        // The length counts a terminating NUL, which is left off again.
        let capacity = sodium_base64_encoded_len(bytes.count, variant.code)
        let terminated = SecretBytes(count: capacity) { text in
            text.withMemoryRebound(to: CChar.self) { text in
                guard let start = text.baseAddress else { return }
                _ = sodium_bin2base64(start, text.count, bytes.bytes, bytes.count, variant.code)
            }
        }
        return terminated.slice(0..<capacity - 1)
    }

    /// Decodes public text; line breaks, spaces and tabs within it are passed over.
    ///
    /// - Throws: ``CryptographyError/invalidEncoding(encoding:)``.
    public static func decode(
        _ text: UnsafeRawBufferPointer,
        as variant: Variant
    ) throws(CryptographyError) -> [UInt8] {
        try decodeSecret(text, as: variant).withUnsafeBytes { [UInt8]($0) }
    }

    /// Decodes text that stands for a secret; white space is passed over.
    ///
    /// - Throws: ``CryptographyError/invalidEncoding(encoding:)``.
    public static func decodeSecret(
        _ text: UnsafeRawBufferPointer,
        as variant: Variant
    ) throws(CryptographyError) -> SecretBytes {
        // libsodium passes over NUL as if it were among the characters it is told to pass over.
        guard isASCII(text), !text.contains(0) else {
            throw .invalidEncoding(encoding: variant.name)
        }
        var count = 0
        let buffer = try SecretBytes(count: text.count / 4 * 3 + 3) {
            buffer throws(CryptographyError) in
            var end: UnsafePointer<CChar>?
            guard let start = text.baseAddress?.assumingMemoryBound(to: CChar.self) else { return }
            let result = sodium_base642bin(
                buffer.bytes,
                buffer.count,
                start,
                text.count,
                "\r\n \t",
                &count,
                &end,
                variant.code
            )
            guard result == 0, end == start + text.count else {
                throw .invalidEncoding(encoding: variant.name)
            }
        }
        return buffer.slice(0..<count)
    }

    /// The length of the text that stands for `count` bytes.
    public static func encodedCount(_ count: Int, as variant: Variant) -> Int {
        sodium_base64_encoded_len(count, variant.code) - 1
    }

    /// Encodes without allocating.
    ///
    /// - Parameters:
    ///   - bytes: Any length.
    ///   - variant: The alphabet.
    ///   - text: At least one byte more than ``encodedCount(_:as:)``, for a NUL behind the text.
    /// - Returns: The length of the text.
    public static func encode(
        _ bytes: UnsafeRawBufferPointer,
        as variant: Variant,
        into text: UnsafeMutableRawBufferPointer
    ) -> Int {
        let count = encodedCount(bytes.count, as: variant)
        precondition(text.count > count)
        text.withMemoryRebound(to: CChar.self) { text in
            guard let start = text.baseAddress else { return }
            _ = sodium_bin2base64(start, text.count, bytes.bytes, bytes.count, variant.code)
        }
        return count
    }

    /// Decodes without allocating, and only the one text that encoding gives: no white space, no
    /// bits left over.
    ///
    /// - Parameters:
    ///   - text: Any length.
    ///   - variant: The alphabet.
    ///   - bytes: Holds what is decoded; too small a buffer counts as a wrong encoding.
    /// - Returns: How many bytes were written.
    /// - Throws: ``CryptographyError/invalidEncoding(encoding:)``.
    public static func decode(
        _ text: UnsafeRawBufferPointer,
        as variant: Variant,
        into bytes: UnsafeMutableRawBufferPointer
    ) throws(CryptographyError) -> Int {
        guard isASCII(text) else { throw .invalidEncoding(encoding: variant.name) }
        guard let start = text.baseAddress?.assumingMemoryBound(to: CChar.self) else { return 0 }
        var count = 0
        var end: UnsafePointer<CChar>?
        let result = sodium_base642bin(
            bytes.bytes,
            bytes.count,
            start,
            text.count,
            nil,
            &count,
            &end,
            variant.code
        )
        guard result == 0, end == start + text.count else {
            throw .invalidEncoding(encoding: variant.name)
        }
        return count
    }

    /// Whether no byte has its highest bit set: libsodium takes such bytes for characters of the
    /// alphabet (found by fuzzing with 1.0.18), so that two texts would mean the same.
    private static func isASCII(_ text: UnsafeRawBufferPointer) -> Bool {
        text.reduce(0, |) < 0x80
    }
}
