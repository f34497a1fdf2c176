internal import CLinux
internal import Glibc
internal import Linux

/// A descriptor cloned for one thread.
final class HeldDevice: Sendable {
    let descriptor: OwnedDescriptor

    init(_ rawValue: Int32) {
        descriptor = OwnedDescriptor(takingOwnershipOf: rawValue)
    }
}

/// A thread of the file system's.
final class FilesystemThread {
    private var thread = pthread_t()

    /// Open as long as this is there: answers may leave by it after the thread has ended.
    private let device: HeldDevice?

    /// Handed to the thread.
    private final class Start {
        let name: String
        let body: () -> Void

        init(_ name: String, _ body: @escaping () -> Void) {
            self.name = name
            self.body = body
        }
    }

    /// Enough for the deepest call here, several times over; only what is used takes memory.
    private static let stackCount = 512 << 10

    /// Starts a thread.
    ///
    /// - Parameters:
    ///   - name: What lists of threads show, at most 15 bytes.
    ///   - device: What the thread serves.
    ///   - body: What it does.
    /// - Throws: ``Errno``. C: `pthread_create`.
    init(
        named name: String,
        device: HeldDevice? = nil,
        _ body: @escaping () -> Void
    ) throws(Errno) {
        self.device = device
        let start = Unmanaged.passRetained(Start(name, body))
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        pthread_attr_setstacksize(&attributes, Self.stackCount)
        defer { pthread_attr_destroy(&attributes) }
        let code = pthread_create(
            &thread,
            &attributes,
            { argument in
                guard let argument else { return nil }
                let start = Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
                linux_name_thread(start.name)
                start.body()
                return nil
            },
            start.toOpaque()
        )
        guard code == 0 else {
            start.release()
            throw Errno(rawValue: code)
        }
    }

    /// Waits for its end.
    func join() {
        pthread_join(thread, nil)
    }
}
