internal import Glibc
internal import KeyProtocol
internal import Linux

/// The program: a supervisor, one of its helpers, or another init by whose name it is called.
public enum SecureInit {
    /// Runs, and ends the process.
    ///
    /// - Parameter inheritedSignalMask: What was blocked when the process was started, bit n − 1 for
    ///   signal n; by now every signal is.
    public static func main(inheritedSignalMask: UInt64) -> Never {
        let mask = SignalSet(rawValue: inheritedSignalMask)
        let arguments = CommandLine.unsafeArgv
        if let personality = arguments[0].flatMap({ Personality(calledAs: String(cString: $0)) }) {
            CurrentProcess.exit(run(as: personality, arguments, count: Int(CommandLine.argc), mask))
        }
        if let role = arguments[Int(CommandLine.argc > 1 ? 1 : 0)].map({ String(cString: $0) })
            .flatMap(HelperProcess.Role.init)
        {
            CurrentProcess.setSignalMask(mask)
            switch role {
            case .fetcher: FetcherProcess.main()
            case .worker: WorkerProcess.main()
            case .guardian: GuardianProcess.main()
            }
        }
        inquire(arguments, count: Int(CommandLine.argc), mask)
        CurrentProcess.exit(supervise(arguments, count: Int(CommandLine.argc), mask))
    }

    /// Ends the process where it was started to ask another; does nothing else.
    private static func inquire(
        _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>,
        count: Int,
        _ mask: SignalSet
    ) {
        guard count > 1, let first = arguments[1].map({ String(cString: $0) }) else { return }
        let inquiry = Inquiry(rawValue: first)
        let isProbe = first == VolumeProbe.argument || first == VolumeProbe.writerArgument
        guard inquiry != nil || isProbe else { return }
        CurrentProcess.setSignalMask(mask)
        let rest = (2..<count).compactMap { arguments[$0].map { String(cString: $0) } }
        inquiry?.main(rest)
        VolumeProbe.main(first, rest.first ?? "")
    }

    private static func supervise(
        _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>,
        count: Int,
        _ mask: SignalSet
    ) -> Int32 {
        do throws(InitError) {
            return try makeSupervisor(arguments, count: count, mask)?.run() ?? 0
        } catch {
            Log().error("\(error)", ["exit": .number(Int64(error.exitCode))])
            return error.exitCode
        }
    }

    /// Gets everything ready for supervision.
    ///
    /// The supervisor ends up with the only reference to the environment, so that it can wipe it.
    ///
    /// - Returns: Nil where only help or the version was asked for, and shown.
    private static func makeSupervisor(
        _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>,
        count: Int,
        _ mask: SignalSet
    ) throws(InitError) -> Supervisor? {
        let signals = try SignalQueue.blockingAll(inheritedMask: mask)
        let coreLimit = try harden()
        var environment = InheritedEnvironment.takeInitial()
        let parsed = try OptionParser(arguments: arguments, count: count)
            .parse(environment)
        let settings = parsed.settings
        if settings.showsHelp || settings.showsVersion {
            show(settings.showsHelp ? Help.text : "secure-init \(ProductVersion.text)\n")
            return nil
        }
        if !settings.environmentFiles.isEmpty {
            // Now, not when they are needed: a mistake in one shall not wait for a key.
            environment = environment.adding(
                try settings.environmentFiles.map { path throws(InitError) in
                    try EnvironmentFile(reading: path)
                }
            )
        }
        let plan = try CommandPlan(
            settings: settings,
            arguments: (parsed.command..<max(count, parsed.command)).compactMap {
                arguments[$0].map { UnsafePointer($0) }
            },
            needsKey: !settings.withoutVolume || !environment.encrypted.isEmpty,
            coreLimit: coreLimit
        )
        if settings.localPassword != nil {
            settings.log.warning(
                "a password on the command line is visible to who lists processes: use file:"
            )
        }
        try adoptOrphans(settings)
        return Supervisor(
            settings: settings,
            plan: plan,
            signals: signals,
            environment: environment
        )
    }

    /// Closes this process to others, and gives the limit that the command is to have again.
    private static func harden() throws(InitError) -> CoreLimit {
        DescriptorFlags.occupyStandardStreams()
        do throws(Errno) {
            try CurrentProcess.refuseDumps()
            let limit = try CoreLimit.current()
            try CoreLimit.refuseDumps()
            return limit
        } catch {
            throw .system("cannot forbid core dumps", error)
        }
    }

    static func adoptOrphans(_ settings: Settings) throws(InitError) {
        do throws(Errno) {
            if CurrentProcess.id != 1, settings.adoptsOrphans {
                try CurrentProcess.becomeSubreaper()
            }
            if let signal = settings.parentDeathSignal {
                try CurrentProcess.setParentDeathSignal(signal)
            }
        } catch {
            throw .system("cannot become the parent of orphans", error)
        }
    }

    static func show(_ text: String, to descriptor: Int32 = STDOUT_FILENO) {
        var text = text
        text.withUTF8 { _ = write(descriptor, $0.baseAddress, $0.count) }
    }
}

extension SignalQueue {
    /// Blocks every signal, before anything else is done.
    static func blockingAll(
        inheritedMask: SignalSet
    ) throws(InitError) -> SignalQueue {
        do throws(Errno) {
            return try SignalQueue(inheritedMask: inheritedMask)
        } catch {
            throw .system("cannot block signals", error)
        }
    }
}
