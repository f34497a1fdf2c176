internal import Linux

extension Supervisor {
    /// Starts the command and waits until it executes.
    ///
    /// - Throws: ``InitError/start(command:_:)``.
    func startCommand() throws(InitError) {
        // What asked to end while nothing was waited for: the command is not started any more.
        try bootTurn(until: .now)
        guard let environment = commandEnvironment else { throw .interrupted(.terminate) }
        phase = .startingCommand
        // The last reference but this function's own: when it returns, the strings are wiped.
        commandEnvironment = nil
        let name = plan.arguments.pointer[0].map { String(cString: $0) } ?? ""
        var start = ProcessStart(
            candidates: Self.candidates(for: name, in: environment.searchPath),
            arguments: plan.arguments,
            environment: environment.pointer
        )
        start.allowsShellScripts = true
        start.grouping = .processGroup
        // Out of the background it would be taken away from whoever has it.
        start.terminal = Terminal.controlling.flatMap { Terminal.isInForeground(of: $0) ? $0 : nil }
        start.blockedSignals = signals.inheritedMask
        start.ignoredSignals = signals.inheritedIgnored
        start.identity = plan.identity
        start.coreLimit = plan.coreLimit
        start.noNewPrivileges = settings.noNewPrivileges
        start.directory = settings.directory
        start.fileModeMask = settings.fileModeMask
        limitCapabilities(of: &start)
        let command: Command
        do throws(Errno) {
            command = Command(try start.start())
        } catch {
            throw .system("cannot start the command", error)
        }
        self.command = command
        // Whichever of the two comes first: the group must exist before a signal is sent to it.
        ProcessGroup.make(command.pid)
        while !command.learnReport() { turn(until: nil, also: command.reportDescriptor) }
        withExtendedLifetime(environment) {}
        if let failure = command.failure {
            // It is ending by itself, and is nothing that was left over.
            while command.end == nil { turn(until: nil) }
            if failure.stage == .directory, let directory = settings.directory {
                throw .directory(directory, failure.errno)
            }
            throw .start(command: name, failure)
        }
        phase = .running
        // What was inherited is the command's alone: a pipe's reader shall not wait for us, too.
        secretFiles?.commandHasThem()
        DescriptorFlags.closeAll(
            except: [signals.descriptor.rawValue] + (volume?.descriptors ?? [])
                + [statusSocket.descriptor, syncSocket.descriptor].compactMap(\.self)
                + (secretFiles?.descriptors ?? []) + guardians.flatMap(\.descriptors)
        )
        CurrentProcess.leaveDirectory()
        log.info(
            "command started",
            ["command": .text(name), "pid": .number(Int64(command.pid))]
        )
        // What follows may take years, and is little beside what came before.
        ResidentMemory.shrink()
    }

    /// Waits for the command's end, or for the volume's if that comes first.
    ///
    /// - Returns: The status to end with.
    func superviseCommand() -> Int32 {
        while true {
            if let end = command?.end {
                let status = settings.remappedExits.contains(end.exitCode) ? 0 : end.exitCode
                log.info("command ended", fields(of: end, status: status))
                return status
            }
            if let volume, let loss = volume.loss {
                volume.isLossReported = true
                log.error("\(loss)", ["exit": .number(Int64(loss.exitCode))])
                return loss.exitCode
            }
            turn(until: nil)
        }
    }

    private func fields(
        of end: ChildEnd,
        status: Int32
    ) -> KeyValuePairs<String, Log.Value> {
        if case .killed(let signal) = end.outcome {
            return ["exit": .number(Int64(status)), "signal": .text("\(signal)")]
        }
        return ["exit": .number(Int64(status))]
    }

    /// Sends the command a signal that arrived here, or what it is rewritten to.
    func forward(_ received: Signal) {
        guard let command, command.end == nil else { return }
        // Of the table's two kinds of nothing, one is no entry and the other a signal to be dropped.
        if let signal = settings.rewrites[received, default: received] {
            send(signal, to: command)
        }
        if settings.suspendsItself, received.comesFromTerminal {
            // Whoever waits for us to stop shall see it. The kernel does not stop process 1.
            try? ProcessTable.send(.stop, to: CurrentProcess.id)
        }
    }

    private func send(_ signal: Signal, to command: Command) {
        log.debug("forwarding \(signal)")
        // A second one could come after the command was stopped again, and undo that.
        if signal == .continue, giveTerminalBack() { return }
        // The only failure there can be is that it has ended: its end is on the way here.
        if settings.signalsGroup {
            try? ProcessTable.send(signal, toGroup: command.pid)
        } else {
            try? ProcessTable.send(signal, to: command.pid)
        }
    }

    /// Takes what the kernel says about the command.
    func commandChanged(_ end: ChildEnd) {
        guard case .stopped = end.outcome else {
            command?.end = end
            return
        }
        // Job control: the shell that started us waits for us to stop, not for the command. Process
        // 1 has no such shell, and cannot be stopped.
        guard CurrentProcess.id != 1, Terminal.controlling != nil else { return }
        try? ProcessTable.send(.stop, to: CurrentProcess.id)
    }

    /// After `fg` the terminal is ours; it is the command's again, which goes on.
    ///
    /// - Returns: Whether it was ours.
    private func giveTerminalBack() -> Bool {
        guard let command, let terminal = Terminal.controlling,
            Terminal.foregroundGroup(of: terminal) == Terminal.ownGroup
        else { return false }
        try? Terminal.setForegroundGroup(command.pid, of: terminal)
        try? ProcessTable.send(.continue, toGroup: command.pid)
        return true
    }

    private func limitCapabilities(of start: inout ProcessStart) {
        guard !settings.keepsCapabilities, let own = try? ProcessCapabilities() else { return }
        let taken = ProcessStart.wrapperCapabilities
        let bounding = ProcessCapabilities.bounding(among: taken)
        let mayLimit = own.effective.contains(.setCapabilities)
        if !bounding.isEmpty, !mayLimit {
            // An exec as root would bring them back out of the bounding set, but for this.
            start.noNewPrivileges = true
            log.warning("no CAP_SETPCAP: the command runs with no-new-privileges instead")
        }
        guard !bounding.union(own.permitted).isDisjoint(with: taken) else { return }
        start.capabilities = ProcessStart.Capabilities(
            bounding: mayLimit ? CapabilitySet.all.subtracting(taken) : .all,
            permitted: own.permitted.subtracting(taken),
            inheritable: own.inheritable.subtracting(taken),
            ambient: CapabilitySet.all.subtracting(taken)
        )
    }

    /// As `execvp` looks for a program.
    private static func candidates(for name: String, in path: String) -> [String] {
        guard !name.utf8.contains(UInt8(ascii: "/")), !name.isEmpty else { return [name] }
        return path.split(separator: ":", omittingEmptySubsequences: false).map {
            $0.isEmpty ? name : "\($0)/\(name)"
        }
    }
}

extension Signal {
    /// Whether a terminal stops jobs with it.
    fileprivate var comesFromTerminal: Bool {
        self == .terminalStop || self == .terminalInput || self == .terminalOutput
    }
}
