internal import CFuse
internal import CLinux
internal import Linux

/// Answers where data and holes are, one question after the other, on a thread of its own.
///
/// The kernel asks without having written what it collected, and without saying how long the file has
/// become. So it is first made to write that, which takes threads that serve: one of them that waited
/// here could be the last. The thread starts with the first question.
final class SeekThread: @unchecked Sendable {
    // Unchecked: the session is constant; the rest is under the monitor.

    /// Whether the kernel can be made to write all that it collected.
    ///
    /// Until 6.16 FUSE wrote copies of its pages, and dropping a page did not wait for its copy.
    static let isPossible = KernelRelease.current.map { $0 >= KernelRelease(6, 16) } ?? false

    /// What is asked, and by which descriptor the answer has to leave.
    private final class Question {
        var reply: PendingReply?
        let node: RequestHandler.NodeID
        let target: FileCall.SeekTarget
        let offset: UInt64
        let device: Int32

        init(
            _ reply: consuming PendingReply,
            _ node: RequestHandler.NodeID,
            _ target: FileCall.SeekTarget,
            _ offset: UInt64,
            device: Int32
        ) {
            self.reply = consume reply
            self.node = node
            self.target = target
            self.offset = offset
            self.device = device
        }
    }

    private let handler: any RequestHandler
    private let session: OpaquePointer
    private let monitor = Monitor()
    private var questions: [Question] = []
    private var thread: FilesystemThread?
    private var isEnding = false

    /// - Parameters:
    ///   - handler: Who answers.
    ///   - session: From `cfuse_session_new`; outlives the thread.
    init(handler: any RequestHandler, session: OpaquePointer) {
        self.handler = handler
        self.session = session
    }

    /// Has a question answered.
    ///
    /// - Parameters:
    ///   - reply: Takes the answer.
    ///   - node: The file.
    ///   - target: What is looked for.
    ///   - offset: From where on, in bytes.
    ///   - device: What the question came by; stays open until ``finish()`` returns.
    func answer(
        _ reply: consuming PendingReply,
        _ node: RequestHandler.NodeID,
        to target: FileCall.SeekTarget,
        from offset: UInt64,
        device: Int32
    ) {
        let question = Question(reply, node, target, offset, device: device)
        monitor.lock()
        defer { monitor.unlock() }
        if thread == nil {
            do throws(Errno) {
                thread = try FilesystemThread(named: "fs-seek") { self.answerAll() }
            } catch {
                question.reply.take()?.fail(error)
                return
            }
        }
        questions.append(question)
        monitor.signal()
    }

    /// Waits until everything is answered.
    func finish() {
        monitor.lock()
        isEnding = true
        monitor.signal()
        monitor.unlock()
        thread?.join()
        thread = nil
    }

    private func answerAll() {
        while let question = next() {
            cfuse_speak_through(question.device)
            cfuse_collect(session, question.node, question.offset)
            if let reply = question.reply.take() {
                handler.seek(reply, question.node, to: question.target, from: question.offset)
            }
            cfuse_speak_through(-1)
        }
    }

    private func next() -> Question? {
        monitor.lock()
        defer { monitor.unlock() }
        while questions.isEmpty {
            if isEnding { return nil }
            monitor.wait()
        }
        return questions.removeFirst()
    }
}
