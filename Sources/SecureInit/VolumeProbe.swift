internal import CryptFS
internal import Glibc
internal import Linux

/// A read of a mounted volume that must not take longer than so and so.
///
/// A process that waits for a FUSE file system can be killed only until the file system has taken its
/// request; then it waits for the answer, whatever comes. So the read is another process's, which is
/// killed when the time is over, and left alone where that does not help: the one that asks is free.
struct VolumeProbe {
    /// The first argument of the process that reads; the second is the mount point.
    static let argument = "--secure-init-probe"

    /// The first argument of one that looks who writes to a storage; the second is the storage.
    static let writerArgument = "--secure-init-writer"

    /// What lists of processes show of it: 15 bytes.
    private static let name: StaticString = "secure-init-ask"

    /// Where it finds the descriptor for its result.
    private static let result: Int32 = 3

    private let path: String

    /// - Parameter path: The mount point, absolute.
    init(_ path: String) {
        self.path = path
    }

    /// Has who writes to a storage looked up: `path` is the storage's.
    ///
    /// - Parameter patience: Milliseconds it may take.
    /// - Returns: Nil where it cannot be told, or not in time.
    func writer(patience: Int64) -> String? {
        let answer = try? ask(Self.writerArgument, until: .now.advanced(byMilliseconds: patience))
        return answer.flatMap { $0.isEmpty ? nil : $0 }
    }

    /// Has the volume read.
    ///
    /// - Parameter patience: Milliseconds it may take.
    /// - Returns: Milliseconds it took.
    /// - Throws: ``InquiryError/volumeSilent(path:milliseconds:)`` and its kin.
    func run(patience: Int64) throws(InquiryError) -> Int64 {
        // Checks that pile up would fill the table of processes.
        if let stuck = stuckProbe() { throw .volumeStuck(path: path, pid: stuck) }
        let began = Instant.now
        let answer: String?
        do throws(Errno) {
            answer = try ask(Self.argument, until: began.advanced(byMilliseconds: patience))
        } catch {
            throw .system("cannot start a check of the volume", error)
        }
        switch answer {
        case nil: throw .volumeSilent(path: path, milliseconds: patience)
        case "ok": return Instant.now.milliseconds(since: began)
        case .some(let reason):
            throw .volumeFailed(path: path, reason.isEmpty ? "could not be read" : reason)
        }
    }

    private func stuckProbe() -> Int32? {
        let name = Self.name.description
        return (try? ProcessTable.processes())?.first {
            ProcessTable.isStuck($0, named: name, user: CurrentProcess.effectiveUser)
        }
    }

    /// - Returns: What the process says; nil when it has said nothing by then.
    private func ask(
        _ argument: String,
        until deadline: Instant
    ) throws(Errno) -> String? {
        let (readEnd, writeEnd) = try Pipe().ends()
        let input = OwnedDescriptor(takingOwnershipOf: readEnd)
        let output = OwnedDescriptor(takingOwnershipOf: writeEnd)
        let environment = CStringArray([])
        var start = ProcessStart(
            candidates: ["/proc/self/exe"],
            arguments: CStringArray(["secure-init", argument, path]),
            environment: environment.pointer
        )
        start.descriptors = [(Self.result, output.rawValue)]
        start.isolatesDescriptors = true
        start.noNewPrivileges = true
        start.parentDeathSignal = .kill
        let started = try start.start()
        withExtendedLifetime(environment) {}
        // Its own end only: the process's is to be the last.
        _ = consume output
        var waits = WaitList()
        waits.add(input.rawValue, .readable)
        repeat {
            try waits.wait(until: deadline)
        } while !waits.isReady(input.rawValue) && Instant.now < deadline
        guard waits.isReady(input.rawValue) else {
            // What it waits for may let go of it or not; whoever adopts it reaps it.
            try? ProcessTable.send(.kill, to: started.pid)
            return nil
        }
        let answer = withUnsafeTemporaryAllocation(byteCount: 512, alignment: 1) { buffer in
            let count = (try? input.readAvailable(into: buffer)).flatMap { $0 } ?? 0
            return String(decoding: buffer[..<count], as: UTF8.self)
        }
        // It has nothing left to do but to end.
        _ = waitpid(started.pid, nil, 0)
        return answer
    }
}

extension VolumeProbe {
    /// Runs the process that reads.
    static func main(_ argument: String, _ path: String) -> Never {
        CurrentProcess.setName(name)
        // Should it stay, nobody shall wait for the end of its standard error.
        DescriptorFlags.giveUp(STDERR_FILENO)
        let output = OwnedDescriptor(takingOwnershipOf: result)
        var answer =
            argument == writerArgument
            ? (try? WriterLock.holder(of: path))?.description ?? "" : read(path) ?? "ok"
        _ = answer.withUTF8 { try? output.writeAvailable(UnsafeRawBufferPointer($0)) }
        CurrentProcess.exit(0)
    }

    /// Asks the process that serves the volume twice: `statfs`, which no cache ever answers, and the
    /// names in the root directory, which it reads from the storage and decrypts; as many as go into
    /// one answer.
    ///
    /// - Returns: What is wrong; nil when all is well.
    private static func read(_ path: String) -> String? {
        do throws(Errno) {
            guard try FileSystemType(at: path) == .fuse else { return "is not mounted" }
        } catch {
            return "does not answer: \(error)"
        }
        guard let directory = opendir(path) else {
            let errno = Errno.current
            // Root without CAP_DAC_READ_SEARCH may not read another's directory.
            return errno == .permissionDenied ? nil : "cannot be read: \(errno)"
        }
        // There is always an entry: the directory itself.
        return readdir(directory) == nil ? "cannot be read: \(Errno.current)" : nil
    }
}
