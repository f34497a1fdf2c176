internal import ArgumentParser
internal import Cryptography
internal import KeyServer
internal import Linux

/// How many shares to make, and where they go.
struct ShareOptions: ParsableArguments {
    @Option(help: "Give the root key to so many people, in shares: 2 to 255.")
    var shares: Int?

    @Option(help: "So many of the shares open the store: 2 or more.")
    var threshold: Int?

    @Option(
        help: ArgumentHelp(
            "Write the shares there, a file each, mode 0600; without it they are printed.",
            valueName: "dir"
        )
    )
    var sharesOut: String?

    func validate() throws {
        guard (shares == nil) == (threshold == nil) else {
            throw ValidationError("--shares and --threshold go together")
        }
        guard shares != nil || sharesOut == nil else {
            throw ValidationError("--shares-out needs --shares and --threshold")
        }
    }

    /// How many to make; `nil` where shares were not asked for.
    ///
    /// - Throws: ``KeyServerError/shareCount(shares:threshold:)``.
    func count() throws(KeyServerError) -> ShareCount? {
        guard let shares, let threshold else { return nil }
        return try ShareCount(shares: shares, threshold: threshold)
    }

    /// Hands the shares out.
    ///
    /// - Throws: ``KeyServerError``; what was written stays, and is of no use.
    func deliver(_ made: [UnsealShare]) throws(KeyServerError) {
        let newline = SecretBytes(copying: "\n".utf8)
        if let sharesOut { try StateFile.createDirectory(sharesOut) }
        for share in made {
            let line = SecretBytes.concatenating([share.text, newline])
            if let sharesOut {
                let path = "\(sharesOut)/share-\(share.index)"
                try StateFile.create(path, contents: line, mode: 0o600)
            } else {
                do {
                    try Output.bytes(line)
                } catch {
                    throw .file(path: "standard output", operation: "write", errno: .current)
                }
            }
        }
    }

    /// Says what has been done, once it has.
    func report(_ count: ShareCount) {
        Program.report(
            "\(count.threshold) of these \(count.shares) shares open the store from now on; give each "
                + "to another person"
        )
    }
}
