/// How enciphered names become text: rclone's `filename_encoding`.
public enum NameEncoding: String, CaseIterable, Sendable {
    /// RFC 4648 §7 ("extended hex"), lower case, unpadded. Five bits a byte.
    case base32

    /// RFC 4648 §5, unpadded. Six bits a byte; needs a storage that tells case apart.
    case base64

    /// Fifteen bits a character of the basic plane: for storage that counts characters.
    case base32768

    /// Encodes the bytes of a name.
    func encode(_ bytes: [UInt8]) -> [UInt8] {
        switch self {
        case .base32: PowerOfTwoEncoding.base32hex.encode(bytes)
        case .base64: PowerOfTwoEncoding.base64url.encode(bytes)
        case .base32768: Base32768.encode(bytes)
        }
    }

    /// Decodes what ``encode(_:)`` gives for some bytes, and nothing else.
    func decode(_ text: [UInt8]) throws(NameFault) -> [UInt8] {
        let bytes =
            switch self {
            case .base32: PowerOfTwoEncoding.base32hex.decode(text)
            case .base64: PowerOfTwoEncoding.base64url.decode(text)
            case .base32768: Base32768.decode(text)
            }
        guard let bytes else { throw .notEncoded }
        return bytes
    }
}
