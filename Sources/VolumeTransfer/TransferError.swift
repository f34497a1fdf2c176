public import CryptFS
public import Linux
public import VolumeFormat

/// Why nothing was transferred, or not all of it could be looked at.
public enum TransferError: Error, Sendable {
    /// The volume does not open.
    case volume(VolumeError)

    /// There is a volume already.
    case exists(path: String)

    /// One lies in the other: encrypting would never end, or decrypting lay plaintext among
    /// ciphertext.
    case nested(path: String, storage: String)

    /// Nothing of that name in the volume.
    case notFound(path: String)

    /// Something else than what is wanted: a directory to print, say.
    case wrongKind(path: String)

    /// A volume of rclone's format, which has no master key to write down.
    case noMasterKey(path: String)

    /// The master key opens nothing of what is in the storage.
    case wrongMasterKey(storage: String)

    /// A volume of rclone's format, where a block cannot be written a second time: its nonce belongs to its place.
    case blocksNotReplaceable(storage: String)

    /// What looks damaged may be what a killed writer was in the middle of.
    case interruptedWriter(storage: String)

    /// One file, or the folder all are in.
    case file(path: String, TransferFault)
}

/// Why one file was not transferred.
public indirect enum TransferFault: Error, Equatable, Sendable {
    /// The kernel's error.
    case system(Errno)

    /// What is in the storage is not what was written.
    case damaged(VolumeFormatError)

    /// Blocks of a file do not authenticate.
    case damagedBlocks(DamagedBlocks)

    /// The content is there, but not all of its extended attributes.
    case attributes(TransferFault)

    /// The name cannot be stored in this volume.
    case name(VolumeFormatError)

    /// A file whose name would make it come back as a symbolic link.
    case reservedName

    /// A stored symbolic link whose target is none.
    case invalidTarget

    /// The file was written to while it was read.
    case changed

    /// Reading back gave other bytes than were written.
    case notStored

    /// A person or the system asked to stop.
    case interrupted
}

extension TransferError: CustomStringConvertible {
    /// One line for a person.
    public var description: String {
        switch self {
        case .volume(let error): error.description
        case .exists(let path):
            "\(path) is a volume's configuration already; a new one would take its place"
        case .nested(let path, let storage):
            "\(path) and the storage \(storage) lie one in the other: use two separate directories"
        case .notFound(let path): "nothing called \(path) in the volume"
        case .wrongKind(let path): "\(path) is not a file"
        case .noMasterKey(let path):
            "\(path) is of rclone's format, which has no master key: keep the configuration and "
                + "its key"
        case .wrongMasterKey(let storage):
            "this master key, or this way to store names, opens nothing of what is in \(storage)"
        case .blocksNotReplaceable(let storage):
            "\(storage) is of rclone's format, where a block cannot be replaced by itself: restore the file, "
                + "or remove it"
        case .interruptedWriter(let storage):
            "a process that wrote to \(storage) was killed, and what it was writing can still be completed: mount "
                + "the volume for writing, read what is damaged, and come back; if that does not help, it was of a file "
                + "that is gone, which counts until the machine is started anew"
        case .file(let path, let fault): "\(path): \(fault)"
        }
    }
}

extension TransferFault: CustomStringConvertible {
    /// A few words for a person.
    public var description: String {
        switch self {
        case .system(let errno): errno.description
        case .damaged(let error), .name(let error): error.description
        case .damagedBlocks(let blocks): blocks.description
        case .attributes(let fault): "not all of its extended attributes are there: \(fault)"
        case .reservedName: "a file's name cannot end in .rclonelink: it would come back as a link"
        case .invalidTarget: "not the target of a symbolic link"
        case .changed: "written to while it was read; run again"
        case .notStored: "reading back gave other bytes than were written: check the disk"
        case .interrupted: "stopped before it was whole; run again to go on"
        }
    }
}

/// Wraps what a volume fails with.
func stopping<Result: ~Copyable>(
    _ body: () throws(VolumeError) -> Result
) throws(TransferError) -> Result {
    do throws(VolumeError) {
        return try body()
    } catch {
        throw .volume(error)
    }
}

/// Wraps what the kernel fails with.
func system<Result: ~Copyable>(_ body: () throws(Errno) -> Result) throws(TransferFault) -> Result {
    do throws(Errno) {
        return try body()
    } catch {
        throw .system(error)
    }
}

/// Wraps what a format finds in the storage.
func damaging<Result: ~Copyable>(
    _ body: () throws(VolumeFormatError) -> Result
) throws(TransferFault) -> Result {
    do throws(VolumeFormatError) {
        return try body()
    } catch {
        throw .damaged(error)
    }
}

/// Wraps what a stored file fails with.
func stored<Result>(_ body: () throws(SealedFileError) -> Result) throws(TransferFault) -> Result {
    do throws(SealedFileError) {
        return try body()
    } catch {
        switch error {
        case .system(let errno): throw .system(errno)
        case .damaged(let cause): throw .damaged(cause)
        }
    }
}
