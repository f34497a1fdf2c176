internal import Cryptography
public import KeyProtocol

/// The keys the server gives out, by name, with the answers that carry them.
public struct KeyRing: Sendable {
    private let bundle: KeyBundle

    /// The answer to `GET /key`; `nil` where no key is named `default`.
    let originalAnswer: SecretBytes?

    /// The answers to requests for one key, which nearly all are: made once, since every piece of
    /// secret memory costs system calls.
    private let singleAnswers: [String: SecretBytes]

    /// Takes over keys.
    ///
    /// Answers are JSON, so a key must be UTF-8; generated keys are.
    ///
    /// - Parameter bundle: At least one key.
    /// - Throws: ``KeyServerError/noKey``, ``KeyServerError/key(source:reason:)``.
    public init(_ bundle: KeyBundle) throws(KeyServerError) {
        guard !bundle.names.isEmpty else { throw .noKey }
        self.bundle = bundle
        var answers: [String: SecretBytes] = [:]
        for name in bundle.names { answers[name] = try Self.answer(for: [name], from: bundle) }
        singleAnswers = answers
        originalAnswer = try bundle[KeyBundle.defaultName].map { key throws(KeyServerError) in
            do throws(WireError) {
                return try AnswerBody.password(key)
            } catch {
                throw .key(source: "'\(KeyBundle.defaultName)'", reason: "\(error)")
            }
        }
    }

    /// No keys: where the store has them all.
    public static let empty = KeyRing()

    private init() {
        bundle = KeyBundle()
        originalAnswer = nil
        singleAnswers = [:]
    }

    /// The key of that name.
    func key(named name: String) -> StoreKey? { bundle[name] }

    /// The names, in the order the keys were added.
    public var names: [String] { bundle.names }

    /// A key's id: 8 hexadecimal digits, or `password` for one that has none.
    public func id(of name: String) -> String {
        bundle[name]?.generated?.id ?? "password"
    }

    /// The answer to `POST /v1/unlock`; `nil` where a key is missing or they are too many.
    func unlockAnswer(for names: [String]) -> SecretBytes? {
        if names.count == 1, let name = names.first { return singleAnswers[name] }
        guard names.allSatisfy({ bundle[$0] != nil }) else { return nil }
        return try? Self.answer(for: names, from: bundle)
    }

    private static func answer(
        for names: [String],
        from bundle: KeyBundle
    ) throws(KeyServerError) -> SecretBytes {
        var wanted = KeyBundle()
        do {
            for name in names {
                guard let key = bundle[name] else { continue }
                try wanted.add(key, named: name)
            }
            return try AnswerBody.keys(wanted, lease: 0)
        } catch {
            throw .key(source: "'\(names.joined(separator: "', '"))'", reason: "\(error)")
        }
    }
}
