internal import Cryptography
internal import Linux

/// What every helper process does before its own work.
enum HelperEntry {
    /// Closes itself to others.
    ///
    /// The kernel makes a process dumpable again when it executes, unless it could be started
    /// hidden, so it is done here once more, before the job, and with it the first secret, is read.
    /// An exec that hides forgets the parent's death signal.
    ///
    /// - Parameters:
    ///   - name: What lists of processes show.
    ///   - role: Which helper it is.
    static func harden(as name: StaticString, _ role: HelperProcess.Role) {
        CurrentProcess.setName(name)
        do throws(Errno) {
            try CurrentProcess.useRealGroup()
            try CurrentProcess.refuseDumps()
            try DescriptorFlags.closeOnExec(HelperProcess.Inherited.job)
            try DescriptorFlags.closeOnExec(HelperProcess.Inherited.frames)
            if role.outlivesSupervisor { return }
            try CurrentProcess.setParentDeathSignal(.kill)
            // Nobody to answer: the parent died before it could be asked for.
            guard try !Readiness.isReadable(HelperProcess.Inherited.frames) else {
                CurrentProcess.exit(ExitCode.system.rawValue)
            }
        } catch {
            // Started by hand: there are no such descriptors, and nothing to do.
            CurrentProcess.exit(ExitCode.usage.rawValue)
        }
    }

    /// Reads the job to its end.
    ///
    /// - Parameter limit: Longest job, in bytes.
    /// - Returns: Nil where it is longer, or could not be read.
    static func readJob(limit: Int) -> SecretBytes? {
        let input = OwnedDescriptor(takingOwnershipOf: HelperProcess.Inherited.job)
        var buffer = SecretBuffer(capacity: limit + 1)
        do throws(Errno) {
            while true {
                let count = try buffer.append(reading: { space throws(Errno) in
                    try InputFile.read(input.rawValue, into: space)
                })
                if count == 0 { break }
            }
        } catch {
            return nil
        }
        return buffer.count <= limit ? buffer.copy() : nil
    }
}
