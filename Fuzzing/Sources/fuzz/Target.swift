/// The parsers that see bytes somebody else wrote.
enum Target: String, CaseIterable {
    /// An encrypted file: header, sizes, blocks.
    case content

    /// Entries of a volume's directory.
    case names

    /// An rclone configuration, decrypted and as a file.
    case configuration

    /// A file encrypted in gocryptfs's format: header, sizes, blocks.
    case gocryptfsContent

    /// Entries of such a volume's directory, and its attributes.
    case gocryptfsNames

    /// A `gocryptfs.conf`.
    case gocryptfsConfiguration

    /// What a writer that was cut short had noted in its lock file.
    case writeNotes

    /// `ENCRYPTED_` variables of both forms.
    case variables

    /// Keys and bundles of keys.
    case keys

    /// What a key server answers.
    case answer

    /// What a device asks a key server.
    case request

    /// What a device asks a certificate with, what it is answered, and one-time tokens.
    case enrolment

    /// A device's token.
    case token

    /// A policy's rules.
    case rules

    /// What a proxy says before it passes a connection on.
    case proxyHeader

    /// Traps on purpose: shows that a run which finds something fails. Not part of a usual run.
    case planted

    func run(_ input: UnsafeRawBufferPointer) {
        switch self {
        case .content: fuzzContent(input)
        case .names: fuzzNames(input)
        case .configuration: fuzzConfiguration(input)
        case .gocryptfsContent: fuzzGocryptfsContent(input)
        case .gocryptfsNames: fuzzGocryptfsNames(input)
        case .gocryptfsConfiguration: fuzzGocryptfsConfiguration(input)
        case .writeNotes: fuzzWriteNotes(input)
        case .variables: fuzzVariables(input)
        case .keys: fuzzKeys(input)
        case .answer: fuzzAnswer(input)
        case .request: fuzzRequest(input)
        case .enrolment: fuzzEnrolment(input)
        case .token: fuzzToken(input)
        case .rules: fuzzRules(input)
        case .proxyHeader: fuzzProxyHeader(input)
        case .planted: invariant(!input.starts(with: "BUG".utf8), "a planted bug")
        }
    }
}
