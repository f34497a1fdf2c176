internal import Glibc
internal import Synchronization
internal import VolumeTransfer

/// SIGINT, SIGTERM and SIGHUP end a transfer at the next block; a second one ends the process.
enum Interruption {
    private static let progress = TransferProgress()
    private static let received = Atomic<Int32>(0)

    /// The signal that came; nil for none.
    static var number: Int32? {
        let number = received.load(ordering: .relaxed)
        return number == 0 ? nil : number
    }

    /// Begins to watch.
    ///
    /// - Returns: What is told to stop.
    static func watch() -> TransferProgress {
        // Both are made here: a handler must not be the first to touch them.
        _ = received.load(ordering: .relaxed)
        let progress = progress
        for number in [SIGINT, SIGTERM, SIGHUP] {
            signal(number) { number in
                Interruption.received.store(number, ordering: .relaxed)
                Interruption.progress.stop()
                signal(number, SIG_DFL)
            }
        }
        return progress
    }
}
