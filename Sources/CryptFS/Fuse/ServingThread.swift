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

    private let session: OpaquePointer
    private let device: Int32
    private let ready: (() -> Void)?

    /// Who answers where holes are; nil where the kernel has nothing to write before.
    private let seeking: SeekThread?
    private(set) var isReady = false

    /// For how long a thread keeps memory it used, in milliseconds.
    private static let lingering: Int32 = 1000

    /// Maps the thread's memory.
    ///
    /// - Parameters:
    ///   - handler: Who answers.
    ///   - session: From `cfuse_session_new`; outlives the thread.
    ///   - device: Of this thread alone, or the session's; outlives the thread.
    ///   - seeking: Who answers where holes are, if it is not this thread.
    ///   - ready: Called when the kernel and libfuse have agreed on a protocol.
    /// - Throws: `ENOMEM`.
    init(
        handler: any RequestHandler,
        session: OpaquePointer,
        device: Int32,
        seeking: SeekThread? = nil,
        ready: (() -> Void)? = nil
    ) throws(Errno) {
        self.handler = handler
        self.session = session
        self.device = device
        self.seeking = seeking
        self.ready = ready
        scratch = try Scratch()
    }

    /// Called by the session's first request.
    func becameReady() {
        isReady = true
        ready?()
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
        if scratch.isUsed { giveMemoryBackWhenIdle() }
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
            if errno == .interrupted { return true }
            throw errno
        }
        // A large write was received into it, even where nobody else noticed.
        if result > 64 << 10 { scratch.isUsed = true }
        return result > 0
    }

    /// Serves until the mount is gone.
    func serveAll() {
        do throws(Errno) {
            while try serveOne() {}
        } catch {
            Log.warning("A file system thread ended", ["error": error.description])
        }
        scratch.release()
    }

    /// A thread that waits in `read` cannot give its memory back; so it first waits here a while.
    private func giveMemoryBackWhenIdle() {
        var waiting = pollfd(fd: device, events: Int16(POLLIN), revents: 0)
        guard poll(&waiting, 1, Self.lingering) == 0 else { return }
        scratch.release()
        linux_trim_heap()
    }
}
