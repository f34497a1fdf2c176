internal import ArgumentParser
internal import CryptFS
internal import Glibc
internal import KeyProtocol

/// `secure-store volume mount`.
struct VolumeMount: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mount",
        abstract: "Mounts a volume, and serves it until SIGINT or SIGTERM.",
        discussion: "Needs root, or the capability to mount, and /dev/fuse."
    )

    @Argument(help: "The directory with the encrypted files.")
    var storage: String

    @Argument(help: "Where the decrypted view appears; made if it is not there, else empty.")
    var mountPoint: String

    @OptionGroup var selection: VolumeSelection

    @Flag(help: "Refuse changes.")
    var readOnly = false

    @Flag(help: "Others change the storage meanwhile: look again for every change.")
    var sharedStorage = false

    @Flag(
        help: """
            No loss of power makes what was synchronised unreadable; writing over it waits for the disk \
            once more.
            """
    )
    var journal = false

    @Option(help: "What happens where there is no volume: auto makes one, never is an error.")
    var create = VolumeCreation.never

    func validate() throws {
        if journal, readOnly || sharedStorage {
            throw ValidationError("--journal is for a volume that nobody else writes to")
        }
    }

    func run() throws {
        let key = try selection.readKey()
        do {
            let device = try MountPoint.openDevice()
            let volume = try Volume.open(
                selection.location(storage),
                key: key.text,
                options: VolumeOptions(
                    isReadOnly: readOnly,
                    isShared: sharedStorage,
                    keepsJournal: journal,
                    createsIfEmpty: create == .auto,
                    keyIsGenerated: key.generated != nil
                )
            )
            let place = try MountPoint(preparing: mountPoint, storage: storage)
            try MountSignals.unmount(place)
            try place.mount(device: device, readOnly: readOnly)
            do {
                try FilesystemSession(volume: volume, device: device).run {
                    // Without it large files are read more slowly.
                    try? place.widenReadAhead()
                    Program.report("\(storage) is mounted at \(mountPoint)")
                }
            } catch {
                try? place.unmount(lazily: true)
                throw error
            }
        } catch let error as VolumeError {
            throw CommandFailure(error)
        }
    }
}
