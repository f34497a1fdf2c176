internal import ArgumentParser
internal import CryptFS
internal import KeyProtocol
internal import Linux
internal import VolumeTransfer

/// Which volume, and its key.
struct VolumeSelection: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The volume's configuration; without it gocryptfs.conf in the storage, else "
                + "./encrypt.conf.",
            valueName: "file"
        )
    )
    var config: String?

    @OptionGroup var key: KeyOptions

    /// Opens the volume.
    ///
    /// - Throws: ``CommandFailure``, and what reading a key throws.
    func open(_ storage: String, _ access: StoredVolume.Access) throws -> StoredVolume {
        try open(storage, access, readKey())
    }

    /// Opens the volume with a key that was read.
    ///
    /// - Throws: ``CommandFailure``.
    func open(
        _ storage: String,
        _ access: StoredVolume.Access,
        _ key: StoreKey,
        _ creation: StoredVolume.Creation = .never
    ) throws -> StoredVolume {
        do throws(TransferError) {
            return try StoredVolume(
                location(storage),
                key: key.text,
                access: access,
                creation: creation
            )
        } catch {
            throw CommandFailure(error)
        }
    }

    /// Reads the key, having seen to it that no dump of this process will hold it.
    func readKey(confirming: Bool = false) throws -> StoreKey {
        // What fails here leaves things as they were.
        try? CurrentProcess.refuseDumps()
        try? CoreLimit.refuseDumps()
        return try key.read(confirming: confirming)
    }

    /// Where the volume lies.
    func location(_ storage: String) -> VolumeLocation {
        VolumeLocation(storage: storage, configuration: config)
    }
}
