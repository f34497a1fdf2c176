internal import CryptFS
internal import Cryptography
internal import Linux

/// The process that serves the volume: it holds the volume's key and parses what lies in the
/// storage, and has neither the network nor the right to mount.
enum WorkerProcess {
    /// What file operations on behalf of any user take, and no more.
    static let capabilities: CapabilitySet = [
        .changeOwner, .overrideAccess, .overrideRead, .fileOwner, .keepSetIdentity, .lockMemory,
        .makeDevices,
    ]

    /// Everything that can be ignored and is not a sign of a fault: a terminal's Ctrl-C, or a TERM
    /// to every process, must not end it before the last write has reached it.
    static let ignoredSignals = SignalSet.all.subtracting(
        SignalSet([
            .kill, .stop, .child, .continue, .illegalInstruction, .breakpoint, .abort, .busError,
            .arithmeticError, .memoryFault, .badSystemCall,
        ])
    ).subtracting(SignalSet.ofLibrary)

    /// Runs it.
    static func main() -> Never {
        HelperEntry.harden(as: "secure-init-vol", .worker)
        let frames = FrameWriter(
            OwnedDescriptor(takingOwnershipOf: HelperProcess.Inherited.frames)
        )
        // Any thread may have something to say; a frame is written in one piece.
        let lines = LineWriter()
        VolumeLog.send { lines?.warning($0) }
        CurrentProcess.exit(run(reportingTo: frames))
    }

    private static func run(reportingTo frames: borrowing FrameWriter) -> Int32 {
        guard let encoded = HelperEntry.readJob(limit: WorkerJob.maximumEncodedCount),
            let job = WorkerJob(decoding: encoded)
        else {
            let text = "the worker's job cannot be read"
            frames.write(.failure, code: UInt8(ExitCode.system.rawValue), text)
            return ExitCode.system.rawValue
        }
        return job.view == .mounted
            ? serve(job, reportingTo: frames) : show(job, reportingTo: frames)
    }

    private static func serve(
        _ job: consuming WorkerJob,
        reportingTo frames: borrowing FrameWriter
    ) -> Int32 {
        do throws(VolumeError) {
            let volume = try openVolume(job, reportingTo: frames)
            let session = FilesystemSession(
                volume: volume,
                device: OwnedDescriptor(takingOwnershipOf: HelperProcess.Inherited.object)
            )
            frames.write(.opened, volume.formatName)
            try session.run { frames.write(.ready, SecretBytes(copying: [])) }
            return 0
        } catch {
            let code = UInt8(truncatingIfNeeded: error.exitCode)
            frames.write(.failure, code: code, "\(error)")
            return error.exitCode
        }
    }

    /// The root of a new volume belongs to the user the command runs as.
    static func giveAway(_ storage: Int32, to owner: WorkerJob.Owner) {
        // Where it cannot be done the command will say so, better than could be said here.
        try? FileCall.setOwner(storage, user: owner.user, group: owner.group)
    }

    /// Opens the volume; the key is let go of when this returns.
    private static func openVolume(
        _ job: consuming WorkerJob,
        reportingTo frames: borrowing FrameWriter
    ) throws(VolumeError) -> CryptFS.Volume {
        let volume = try Volume.open(
            job.location,
            key: job.keys[0],
            olderKeys: Array(job.keys.dropFirst()),
            options: job.options
        )
        if volume.isNew {
            if let owner = job.owner { giveAway(volume.root, to: owner) }
            frames.write(.line, code: 2, "new volume made in \(job.location.storage)")
        }
        if let last = volume.lock?.abandoned {
            frames.write(.line, code: 2, "the last writer did not unmount: \(last)")
        }
        switch volume.keyRenewal {
        case nil: break
        case .done:
            frames.write(.line, code: 2, "the volume's configuration is under the newest key now")
        case .notWanted:
            frames.write(.line, code: 2, "read-only: the volume stays under its older key")
        case .failed(let error):
            frames.write(.line, code: 1, "the volume stays under its older key: \(error)")
        }
        for sentence in Sandbox.worker.enter(changing: [volume.root]) {
            frames.write(.line, code: 2, sentence)
        }
        return volume
    }
}

/// The filesystem's warnings, on their way to the supervisor's log.
private final class LineWriter: Sendable {
    private let frames: FrameWriter

    /// Writes beside the process's first writer, through a descriptor of its own.
    init?() {
        let inherited = OwnedDescriptor(takingOwnershipOf: HelperProcess.Inherited.frames)
        let copy = try? inherited.duplicate()
        // The first writer's, still.
        _ = inherited.release()
        guard let copy else { return nil }
        frames = FrameWriter(copy)
    }

    func warning(_ line: String) {
        frames.write(.line, code: 1, line)
    }
}
