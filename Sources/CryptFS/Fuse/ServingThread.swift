internal import CFuse
internal import CLinux
internal import Glibc
internal import Linux

/// One thread's share of a session: its own descriptor and its own memory.
final class ServingThread: @unchecked Sendable {
    // Unchecked: used by its thread only, once that runs.

    /// Who answers.
    let handler: any RequestHandler

    /// What requests are received and worked on in.
    let scratch: Scratch

    /// Who answers, where that is a gocryptfs volume: reads and writes go to it without a detour by
    /// the protocol's table.
    private let gocryptfs: Filesystem<GocryptfsStorage>?

    private let session: OpaquePointer
    private let device: Int32
    private let ready: (() -> Void)?
    private let lookout: Lookout?

    /// Who answers where holes are; nil where the kernel has nothing to write before.
    private let seeking: SeekThread?
    private(set) var isReady = false

    private var alarm: ThreadAlarm?
    private var isAlarmSet = false
    private var wasUsed = false

    /// A thread keeps memory for as long as this after its last use, twice as long at most; in milliseconds.
    ///
    /// By a timer: polling instead would have every request wake all who do.
    private static let lingering: Int64 = 1000

    /// Maps the thread's memory.
    ///
    /// - Parameters:
    ///   - handler: Who answers.
    ///   - session: From `cfuse_session_new`; outlives the thread.
    ///   - device: Of this thread alone, or the session's; outlives the thread.
    ///   - lookout: Of all threads of the session; nil for one that sleeps at once.
    ///   - seeking: Who answers where holes are, if it is not this thread.
    ///   - ready: Called when the kernel and libfuse have agreed on a protocol.
    /// - Throws: `ENOMEM`.
    init(
        handler: any RequestHandler,
        session: OpaquePointer,
        device: Int32,
        lookout: Lookout? = nil,
        seeking: SeekThread? = nil,
        ready: (() -> Void)? = nil
    ) throws(Errno) {
        self.handler = handler
        gocryptfs = handler as? Filesystem<GocryptfsStorage>
        self.session = session
        self.device = device
        self.lookout = lookout
        self.seeking = seeking
        self.ready = ready
        scratch = try Scratch()
    }

    /// Called by the session's first request.
    func becameReady() {
        isReady = true
        ready?()
    }

    /// Answers with what a file has.
    func read(
        _ reply: consuming PendingReply,
        _ node: RequestHandler.NodeID,
        at offset: UInt64,
        count: Int
    ) {
        if let gocryptfs {
            gocryptfs.read(reply, node, at: offset, count: count, scratch: scratch)
        } else {
            handler.read(reply, node, at: offset, count: count, scratch: scratch)
        }
    }

    /// Changes what a file has.
    func write(
        _ reply: consuming PendingReply,
        _ node: RequestHandler.NodeID,
        at offset: UInt64,
        _ bytes: UnsafeRawBufferPointer,
        dropsPrivilege: Bool
    ) {
        if let gocryptfs {
            gocryptfs.write(
                reply,
                node,
                at: offset,
                bytes,
                dropsPrivilege: dropsPrivilege,
                scratch: scratch
            )
        } else {
            handler.write(
                reply,
                node,
                at: offset,
                bytes,
                dropsPrivilege: dropsPrivilege,
                scratch: scratch
            )
        }
    }

    /// Answers, or has answered, where data or a hole is.
    func seek(
        _ reply: consuming PendingReply,
        _ node: RequestHandler.NodeID,
        to target: FileCall.SeekTarget,
        from offset: UInt64
    ) {
        if let seeking {
            seeking.answer(reply, node, to: target, from: offset, device: device)
        } else {
            handler.seek(reply, node, to: target, from: offset)
        }
    }

    /// Serves one request.
    ///
    /// - Returns: False when the mount is gone.
    /// - Throws: What reading the device failed with; `EPERM` while it is not mounted.
    func serveOne() throws(Errno) -> Bool {
        let request = scratch.request
        let result = cfuse_serve(
            session,
            device,
            Unmanaged.passUnretained(self).toOpaque(),
            request.baseAddress,
            request.count
        )
        if result < 0 {
            let errno = Errno(rawValue: Int32(-result))
            guard errno == .interrupted else { throw errno }
            giveMemoryBackWhenIdle()
            return true
        }
        // A large write was received into it, even where nobody else noticed.
        if result > 64 << 10 { scratch.isUsed = true }
        if scratch.isUsed { noteUse() }
        return result > 0
    }

    /// Serves until the mount is gone; to be called by the thread itself.
    func serveAll() {
        do throws(Errno) {
            // Without one it serves as well, and keeps its memory.
            alarm = try? ThreadAlarm()
            while try serveOne() { lookout?.look(at: device) }
        } catch {
            Log.warning("A file system thread ended", ["error": error.description])
        }
        alarm = nil
        scratch.release()
    }

    /// Memory is in use: it is given back once an alarm finds that it was not since the one before.
    private func noteUse() {
        scratch.isUsed = false
        wasUsed = true
        guard !isAlarmSet else { return }
        isAlarmSet = true
        alarm?.start(everyMilliseconds: Self.lingering)
    }

    /// After an alarm.
    private func giveMemoryBackWhenIdle() {
        guard isAlarmSet else { return }
        if wasUsed {
            wasUsed = false
            return
        }
        alarm?.stop()
        isAlarmSet = false
        scratch.release()
        linux_trim_heap()
        // What runs is read again from the kernel's cache; what only the rush needed stays away.
        linux_forget_code()
    }
}
