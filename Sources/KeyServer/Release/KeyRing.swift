internal import Cryptography
public import KeyProtocol

/// The keys the server gives out, by name.
public struct KeyRing: Sendable {
    private let bundle: KeyBundle

    /// Takes over keys.
    ///
    /// Answers are JSON, so a key must be UTF-8; generated keys are.
    ///
    /// - Throws: ``KeyServerError/noKey``, ``KeyServerError/key(source:reason:)``.
    public init(_ bundle: KeyBundle) throws(KeyServerError) {
        guard !bundle.names.isEmpty else { throw .noKey }
        for name in bundle.names {
            guard let key = bundle[name], Self.isUTF8(key.text) else {
                throw .key(source: "'\(name)'", reason: "it is not UTF-8, as JSON needs it")
            }
        }
        self.bundle = bundle
    }

    /// The names, in the order the keys were added.
    public var names: [String] { bundle.names }

    /// A key's id: 8 hexadecimal digits, or `password` for one that has none.
    public func id(of name: String) -> String {
        bundle[name]?.generated?.id ?? "password"
    }

    /// The answer to `GET /key`: `{"password":"…"}`; `nil` where no key is named `default`.
    func originalAnswer() -> SecretBytes? {
        guard let key = bundle[KeyBundle.defaultName] else { return nil }
        return SecretBytes.concatenating([
            SecretBytes(copying: #"{"password":"#.utf8), JSONString.encode(key.text),
            SecretBytes(copying: "}\n".utf8),
        ])
    }

    /// The answer to `POST /v1/unlock`: `{"keys":{"name":"key",…},"lease":0}`; 0 is no lease.
    ///
    /// - Returns: `nil` where a key is missing.
    func unlockAnswer(for names: [String]) -> SecretBytes? {
        var parts = [SecretBytes(copying: #"{"keys":{"#.utf8)]
        for (index, name) in names.enumerated() {
            guard let key = bundle[name] else { return nil }
            let separator = index == 0 ? "" : ","
            parts.append(SecretBytes(copying: "\(separator)\(JSONString.encode(name)):".utf8))
            parts.append(JSONString.encode(key.text))
        }
        parts.append(SecretBytes(copying: "},\"lease\":0}\n".utf8))
        return SecretBytes.concatenating(parts)
    }

    /// Checks without making a `String` of the key.
    private static func isUTF8(_ text: SecretBytes) -> Bool {
        text.withUnsafeBytes { bytes in
            var decoder = UTF8()
            var bytes = bytes.makeIterator()
            while true {
                switch decoder.decode(&bytes) {
                case .scalarValue: continue
                case .emptyInput: return true
                case .error: return false
                }
            }
        }
    }
}
