internal import ArgumentParser
internal import Cryptography
internal import KeyProtocol
internal import VolumeFormat
internal import VolumeTransfer

/// `secure-store volume export`.
struct VolumeExport: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Shows a volume's master key, to be written on paper.",
        discussion: """
            Of gocryptfs's format only. The master key opens the volume without configuration and \
            without key, for ever: no passwd takes that back. volume recover and \
            gocryptfs -masterkey take it.
            """
    )

    @Argument(help: "The directory with the encrypted files.")
    var storage: String

    @OptionGroup var selection: VolumeSelection

    @Flag(help: "Write it to standard output, although that is no terminal.")
    var yes = false

    func run() throws {
        guard Output.isTerminal || yes else {
            throw CommandFailure(
                .usage,
                "standard output is no terminal, and the master key opens everything: --yes if it "
                    + "is meant to go there"
            )
        }
        let key = try selection.readKey()
        let masterKey: GocryptfsMasterKey
        do throws(TransferError) {
            masterKey = try KeyChange(selection.location(storage)).masterKey(key.text)
        } catch {
            throw CommandFailure(error)
        }
        if !yes { try Output.line("The volume's master key. Keep it where nobody finds it:\n") }
        try Output.bytes(
            SecretBytes.concatenating([masterKey.paper, SecretBytes(copying: "\n".utf8)])
        )
    }
}
