internal import CFuse
internal import CLinux
internal import Glibc
public import Linux
internal import Synchronization

/// Serves a volume to the kernel until it is unmounted.
public final class FilesystemSession: Sendable {
    private let makeHandler: @Sendable () throws(Errno) -> any RequestHandler
    private let device: OwnedDescriptor
    private let threadCount: Int
    private let processorCount: Int

    /// For how long ``run(onReady:)`` waits for the device to be mounted, in milliseconds.
    private static let mountLimit = 30_000

    /// How many requests nobody waits for the kernel may send at once.
    private static let backgroundLimit: UInt32 = 64

    /// - Parameters:
    ///   - volume: What to serve; it stays locked until the session is gone.
    ///   - device: From ``MountPoint/openDevice()``; mounted before or soon after
    ///     ``run(onReady:)`` is called.
    ///   - threadCount: How many requests are served at once; nil for a number that fits the
    ///     machine.
    public convenience init(
        volume: Volume,
        device: consuming OwnedDescriptor,
        threadCount: Int? = nil
    ) {
        self.init(device: device, threadCount: threadCount) { () throws(Errno) in
            try volume.makeHandler()
        }
    }

    /// A session for whatever answers requests, made when it runs.
    init(
        device: consuming OwnedDescriptor,
        threadCount: Int?,
        makeHandler: @escaping @Sendable () throws(Errno) -> any RequestHandler
    ) {
        self.makeHandler = makeHandler
        self.device = device
        processorCount = Int(linux_processor_count())
        // One thread a processor computes; as many again wait for the disk.
        self.threadCount = max(threadCount ?? min(max(2 * processorCount, 4), 16), 1)
    }

    /// Serves, on several threads, until the mount is gone; then stores what is not yet stored and
    /// wipes all memory that had plaintext in it.
    ///
    /// - Parameter onReady: Called once, when the kernel's first request was answered: from then on
    ///   the mount can be used.
    /// - Throws: ``VolumeError``.
    ///
    /// The process must not use its own mount. Limits of the process are raised: as many open files
    /// as it may have, one heap arena.
    public func run(onReady: () -> Void) throws(VolumeError) {
        linux_limit_heap(1, 128 << 10)
        raise(RLIMIT_NOFILE)
        raise(__RLIMIT_MEMLOCK)
        // Modes are what who asks wants: the mask is taken off already.
        umask(0)
        // A descriptor that does not block would keep every thread busy.
        let flags = fcntl(device.rawValue, F_GETFL)
        if flags & O_NONBLOCK != 0 { _ = fcntl(device.rawValue, F_SETFL, flags & ~O_NONBLOCK) }
        let handler = try describing("open", "the storage") { () throws(Errno) in
            try makeHandler()
        }
        var operations = makeOperationTable()
        var settings = cfuse_settings(
            request_limit: UInt32(Scratch.requestLimit),
            read_limit: UInt32(Scratch.readLimit),
            background_limit: Self.backgroundLimit,
            exclusive: handler.isExclusive ? 1 : 0,
            // Where others may change a file, it is looked at anew whenever it is opened.
            stateless: handler.changesInPlace && handler.isExclusive ? 1 : 0,
            extended: handler.changesInPlace ? 1 : 0,
            holes: handler.changesInPlace && (handler.isReadOnly || SeekThread.isPossible) ? 1 : 0
        )
        guard let session = cfuse_session_new(&operations, &settings) else {
            throw .system(operation: "start", path: "the FUSE session", .noMemory)
        }
        defer { cfuse_session_free(session) }
        // Pages of files that can be written may have what the storage has not.
        let seeking = handler.isReadOnly ? nil : SeekThread(handler: handler, session: session)
        let lookout = Lookout(processors: processorCount)
        let first = try describing("serve", "/dev/fuse") { () throws(Errno) in
            try ServingThread(
                handler: handler,
                session: session,
                device: device.rawValue,
                lookout: lookout,
                seeking: seeking
            )
        }
        let isMounted = try serveUntilReady(first)
        if isMounted {
            let others = try startThreads(
                beside: first,
                handler: handler,
                session: session,
                lookout: lookout,
                seeking: seeking
            )
            // Starting has touched much that serving does not need.
            linux_forget_code()
            onReady()
            first.serveAll()
            for thread in others { thread.join() }
            // Answers leave by the threads' devices.
            withExtendedLifetime(others) { seeking?.finish() }
        }
        handler.finish(scratch: first.scratch)
        first.scratch.release()
    }

    /// Serves the kernel's first request, which agrees on the protocol.
    ///
    /// - Returns: False when it was unmounted before.
    private func serveUntilReady(_ thread: ServingThread) throws(VolumeError) -> Bool {
        var waited = 0
        while !thread.isReady {
            do throws(Errno) {
                guard try thread.serveOne() else { return false }
            } catch .operationNotPermitted {
                // Not mounted yet: whoever mounts does so at any moment.
                guard waited < Self.mountLimit else { throw .notMounted }
                usleep(2000)
                waited += 2
            } catch {
                throw .system(operation: "read", path: "/dev/fuse", error)
            }
        }
        return true
    }

    private func startThreads(
        beside first: ServingThread,
        handler: any RequestHandler,
        session: OpaquePointer,
        lookout: Lookout,
        seeking: SeekThread?
    ) throws(VolumeError) -> [FilesystemThread] {
        var threads: [FilesystemThread] = []
        var isLocked = first.scratch.isLocked
        for index in 1..<max(threadCount, 1) {
            do throws(Errno) {
                let clone = cfuse_clone_device(device.rawValue)
                let own = clone == -1 ? nil : HeldDevice(clone)
                let serving = try ServingThread(
                    handler: handler,
                    session: session,
                    device: own?.descriptor.rawValue ?? device.rawValue,
                    lookout: lookout,
                    seeking: seeking
                )
                isLocked = isLocked && serving.scratch.isLocked
                threads.append(
                    try FilesystemThread(named: "fs-\(index)", device: own) { serving.serveAll() }
                )
            } catch {
                // Fewer threads serve as well, more slowly.
                Log.warning("A file system thread could not start", ["error": error.description])
                break
            }
        }
        if !isLocked {
            Log.warning("The limit on locked memory is low: decrypted content may be swapped")
        }
        return threads
    }

    /// Takes all that a limit of the process allows.
    private func raise(_ resource: __rlimit_resource) {
        let resource = __rlimit_resource_t(resource.rawValue)
        var limit = rlimit()
        guard getrlimit(resource, &limit) == 0 else { return }
        limit.rlim_cur = limit.rlim_max
        setrlimit(resource, &limit)
    }
}
