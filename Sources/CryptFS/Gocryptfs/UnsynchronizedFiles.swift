internal import Linux
internal import Synchronization

/// Small files that others depend on and that are not on the disk yet: without `gocryptfs.diriv` a
/// directory's names are lost, without its `.name` a long name is.
///
/// They are written to the disk before anything is said to be, and not before: a program that makes
/// a thousand directories waits once.
final class UnsynchronizedFiles: Sendable {
    private struct State {
        var files: [HeldDirectory] = []
    }

    private let state = Mutex(State())

    /// How many are kept open; one more is synchronised at once.
    private static let limit = 128

    /// A file was written.
    func add(_ descriptor: consuming OwnedDescriptor) throws(Errno) {
        let file = HeldDirectory(descriptor)
        let isKept = state.withLock { state in
            guard state.files.count < Self.limit else { return false }
            state.files.append(file)
            return true
        }
        if !isKept { try FileCall.synchronize(file.descriptor.rawValue) }
    }

    /// Waits until all of them are on the disk.
    func synchronize() throws(Errno) {
        let files = state.withLock { state in
            let files = state.files
            state.files.removeAll(keepingCapacity: true)
            return files
        }
        for (index, file) in files.enumerated() {
            do throws(Errno) {
                try FileCall.synchronize(file.descriptor.rawValue)
            } catch {
                state.withLock { $0.files.append(contentsOf: files[index...]) }
                throw error
            }
        }
    }
}
