public import Cryptography

/// What an operator may ask of a running server, over its socket.
///
///     WORD \n what belongs to it
///
/// One record; the answer is another: `ok` or `refused`, a line's end, and a sentence.
public enum OperatorRequest: Sendable {
    /// Here is a share.
    case share(SecretBytes)

    /// Here is the root key.
    case root(SecretBytes)

    /// Forget the shares that were given.
    case reset

    /// Forget what opens the store.
    case seal

    /// Sign the audit log as it is.
    case sign

    /// Say how the store stands.
    case status

    /// Longest record in bytes: a root key, and the word before it.
    static let maximumCount = 8192

    private var word: String {
        switch self {
        case .share: "share"
        case .root: "root"
        case .reset: "reset"
        case .seal: "seal"
        case .sign: "sign"
        case .status: "status"
        }
    }

    /// As it is sent.
    var record: SecretBytes {
        let head = SecretBytes(copying: "\(word)\n".utf8)
        switch self {
        case .share(let secret), .root(let secret): return .concatenating([head, secret])
        case .reset, .seal, .sign, .status: return head
        }
    }

    /// Reads a record; `nil` for anything else.
    init?(_ record: SecretBytes) {
        let end = record.withUnsafeBytes { $0.firstIndex(of: UInt8(ascii: "\n")) }
        guard let end, end <= 16 else { return nil }
        let rest = record.slice(end + 1..<record.count)
        let word = record.slice(0..<end).withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
        switch (word, rest.count > 0) {
        case ("share", true): self = .share(rest)
        case ("root", true): self = .root(rest)
        case ("reset", false): self = .reset
        case ("seal", false): self = .seal
        case ("sign", false): self = .sign
        case ("status", false): self = .status
        default: return nil
        }
    }
}
