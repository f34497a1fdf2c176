internal import CryptFS
internal import Cryptography
internal import Linux

/// The process that is left when the supervisor was killed, and takes away what it had mounted.
///
/// It sleeps in one read until then: of a pipe whose other end the supervisor alone holds, so that only the
/// supervisor's end ends it. Before an end in order the supervisor ends the guardian.
enum GuardianProcess {
    /// What is to be taken away.
    enum Charge: UInt8 {
        /// The volume's view; found over the directory that is handed over.
        case view
        /// The filesystem of secret files, whose root is handed over.
        case secretFiles
    }

    /// To unmount, and to reach and overwrite files of the command's user.
    static let capabilities: CapabilitySet = [.administer, .overrideAccess]

    /// How long the volume's process may take to end, which is killed when the supervisor is.
    private static let patience = Duration.seconds(10)

    /// Runs it.
    static func main() -> Never {
        HelperEntry.harden(as: "secure-init-mnt", .guardian)
        let frames = FrameWriter(
            OwnedDescriptor(takingOwnershipOf: HelperProcess.Inherited.frames)
        )
        guard let job = GuardianJob(reading: HelperProcess.Inherited.job) else {
            CurrentProcess.exit(ExitCode.system.rawValue)
        }
        CurrentProcess.leaveDirectory()
        for sentence in Sandbox.guardian.enter() { frames.write(.line, code: 2, sentence) }
        ResidentMemory.shrink()
        do throws(Errno) {
            try awaitSupervisorsEnd()
            let object = OwnedDescriptor(takingOwnershipOf: HelperProcess.Inherited.object)
            switch job.charge {
            case .view: try takeAwayView(over: object, job.log)
            case .secretFiles: try takeAwayFiles(in: object, job.log)
            }
            CurrentProcess.exit(0)
        } catch {
            job.log.error("secure-init was killed, and what it had mounted stays: \(error)")
            CurrentProcess.exit(ExitCode.system.rawValue)
        }
    }

    /// Returns when nobody can write to the job's pipe any more.
    private static func awaitSupervisorsEnd() throws(Errno) {
        var byte: UInt8 = 0
        var count = 0
        repeat {
            count = try withUnsafeMutableBytes(of: &byte) { byte throws(Errno) in
                try InputFile.read(HelperProcess.Inherited.job, into: byte)
            }
        } while count > 0
    }

    private static func takeAwayView(
        over place: consuming OwnedDescriptor,
        _ log: Log
    ) throws(Errno) {
        let view = AbandonedView(over: place)
        guard try view.detach(within: patience) else { return }
        log.warning(
            "secure-init was killed: its volume is unmounted",
            ["mount": .text(view.path ?? "")]
        )
    }

    private static func takeAwayFiles(
        in root: consuming OwnedDescriptor,
        _ log: Log
    ) throws(Errno) {
        // Where it cannot be told, the supervisor has unmounted it.
        guard let files = try? MemoryFilesystem(takingOver: root), let path = files.path else {
            return
        }
        files.close()
        guard files.path == nil else { throw .busy }
        log.warning(
            "secure-init was killed: its secret files are wiped",
            ["directory": .text(path)]
        )
    }
}
