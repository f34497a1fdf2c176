internal import Linux
internal import Synchronization

/// Small files that others depend on and that are not on the disk yet: without `gocryptfs.diriv` a
/// directory's names are lost, without its `.name` a long name is, and a link of rclone's format without its
/// file.
///
/// They are written to the disk before anything is said to be, and not before: a program that makes
/// a thousand directories waits once.
final class UnsynchronizedFiles: Sendable {
    private struct File {
        let file: HeldDirectory
        let content: [UInt8]
    }

    private let files = Mutex<[File]>([])

    /// Held by whoever synchronises: who comes meanwhile waits for what the other has taken.
    private let turn = Mutex(())

    /// How many are kept open; one more is synchronised at once.
    private static let limit = 128

    /// Fills a new file.
    func write(_ content: [UInt8], to descriptor: consuming OwnedDescriptor) throws(Errno) {
        let file = File(file: HeldDirectory(descriptor), content: content)
        try Self.write(file)
        let isKept = files.withLock { files in
            guard files.count < Self.limit else { return false }
            files.append(file)
            return true
        }
        if !isKept { try FileCall.synchronize(file.file.descriptor.rawValue) }
    }

    /// Waits until all of them are on the disk.
    func synchronize() throws(Errno) {
        try turn.withLock { _ throws(Errno) in try synchronizeAll() }
    }

    private func synchronizeAll() throws(Errno) {
        let files = files.withLock { files in
            let all = files
            files.removeAll(keepingCapacity: true)
            return all
        }
        for (index, file) in files.enumerated() {
            do throws(Errno) {
                try FileCall.synchronize(file.file.descriptor.rawValue)
            } catch {
                self.files.withLock { $0.append(contentsOf: files[index...]) }
                // The kernel tells of a failure once and then takes what it has for stored.
                try? Self.write(file)
                throw error
            }
        }
    }

    private static func write(_ file: File) throws(Errno) {
        try file.content.withUnsafeBufferPointer { content throws(Errno) in
            try FileCall.write(
                file.file.descriptor.rawValue,
                at: 0,
                UnsafeRawBufferPointer(content)
            )
        }
    }
}
