/// How far secure-init is, in the words of its lines, of `secure-init status` and of
/// `docs/operations.md`.
enum Phase: String {
    /// It reads its settings.
    case starting
    /// It waits until the key reaches it.
    case waitingForKey = "waiting-for-key"
    /// It decrypts the variables.
    case decrypting
    /// It opens the volume and mounts it.
    case openingVolume = "opening-volume"
    /// It starts the command; from the fork on, signals are the command's.
    case startingCommand = "starting-command"
    /// The command executes. Signals are its.
    case running
    /// The command has ended, or never started: what is left is ended. TERM and its kin hurry.
    case stopping
    /// It unmounts, and waits until everything is stored. TERM and its kin hurry.
    case unmounting
}
