internal import ArgumentParser
internal import Cryptography
internal import KeyServer

/// How a command is given what opens the store's keys: the root key, or shares of it.
struct SealOptions: ParsableArguments {
    @OptionGroup var root: RootKeyOptions

    @Option(
        help: ArgumentHelp(
            "A file holding shares, one a line; may be repeated; - for standard input. Without it: "
                + "prompts, in a store that is sealed by shares.",
            valueName: "file"
        )
    )
    var shareFile: [String] = []

    /// Asks for as many shares as open the store, or for its root key.
    ///
    /// - Throws: ``CommandFailure`` where there is none, and nobody to ask; ``KeyServerError``.
    func rootKey(of administration: Administration) throws -> RootKey {
        if !shareFile.isEmpty {
            return try administration.rootKey(ofShares: ShareInput.read(shareFile))
        }
        if let key = try root.readIfGiven() { return key }
        guard let set = try administration.shareSet() else { return try root.read() }
        guard Prompt.isPossible else {
            throw CommandFailure(
                .usage,
                "no shares: the store is sealed by \(set.count.threshold) of \(set.count.shares); "
                    + "name files with --share-file"
            )
        }
        let shares = try (1...set.count.threshold).map { number in
            try ShareInput.ask("Share (\(number) of \(set.count.threshold) of set \(set.id))")
        }
        return try administration.rootKey(ofShares: shares)
    }

    /// Opens the store's keys.
    ///
    /// - Throws: As ``rootKey(of:)``.
    func openVault(of administration: Administration) throws -> KeyVault {
        try administration.openVault(rootKey(of: administration))
    }
}

/// Where shares come from.
enum ShareInput {
    /// Reads shares, a line each; empty lines do not count.
    ///
    /// - Throws: ``KeyServerError``; ``CommandFailure`` where there is none.
    static func read(_ paths: [String]) throws -> [SecretBytes] {
        let shares = try paths.flatMap { try lines(of: SecretInput.read($0, limit: 65_536)) }
        guard !shares.isEmpty else { throw CommandFailure(.data, "there is no share") }
        return shares
    }

    /// Asks for a share, and again as long as it is mistyped.
    ///
    /// - Throws: ``CommandFailure`` where there is no terminal, or the person gave up.
    static func ask(_ question: String) throws -> SecretBytes {
        while true {
            let text = try Prompt.ask(question)
            do throws(ShareFault) {
                _ = try UnsealShare(text)
                return text
            } catch {
                Program.report("\(error)")
            }
        }
    }

    private static func lines(of text: SecretBytes) -> [SecretBytes] {
        let ends = text.withUnsafeBytes { bytes in
            bytes.indices.filter { bytes[$0] == UInt8(ascii: "\n") } + [bytes.count]
        }
        var start = 0
        return ends.compactMap { end in
            defer { start = end + 1 }
            let isEmpty = text.withUnsafeBytes { bytes in
                bytes[start..<end].allSatisfy { $0 <= UInt8(ascii: " ") }
            }
            return isEmpty ? nil : text.slice(start..<end)
        }
    }
}
