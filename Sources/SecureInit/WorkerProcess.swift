internal import Linux

/// The process that serves the volume.
enum WorkerProcess {
    /// Runs it.
    static func main() -> Never {
        HelperEntry.harden()
        CurrentProcess.exit(ExitCode.system.rawValue)
    }
}
