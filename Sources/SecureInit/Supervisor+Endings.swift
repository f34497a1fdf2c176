internal import Linux

extension Supervisor {
    /// Ends everything that is left but the volume's worker and the guardians: TERM, a grace, KILL.
    ///
    /// As process 1 that is the whole pid namespace, `docker exec` shells included, which the
    /// kernel would kill without asking a moment later. Else it is what came from the command.
    func endLeftovers() {
        if CurrentProcess.id != 1 {
            switch settings.leftovers {
            case .descendants: break
            case .group: return endGroup()
            case .spared: return
            }
        }
        guard Reaper.hasChildren || CurrentProcess.id == 1 else { return }
        guard CurrentProcess.seesOwnProcesses else {
            endGroup()
            return
        }
        var left = leftovers()
        guard !left.isEmpty else { return }
        log.info("ending what is left", ["processes": .number(Int64(left.count))])
        terminate(left)
        let grace = Instant.now.advanced(byMilliseconds: settings.stopGrace)
        while !left.isEmpty, !isHurried, Instant.now < grace {
            awaitEnd(ofOneOf: left, until: grace)
            left = leftovers()
        }
        killLeftovers(left)
    }

    /// How long the kernel may take over a KILL, in milliseconds.
    private static let patience: Int64 = 5000

    /// Milliseconds between two looks at a process that came from outside, on kernels before 5.3.
    private static let look: Int64 = 20

    private func terminate(_ left: [Int32]) {
        // A stopped process would sleep through TERM, so CONT follows.
        for signal in [Signal.terminate, .continue] {
            guard CurrentProcess.id == 1 else {
                for pid in left { send(signal, to: pid) }
                continue
            }
            // In one step, so that no process is born in between and gets none. The volume's process
            // ignores the one and runs on at the other.
            try? ProcessTable.sendToAll(signal)
        }
    }

    /// Sleeps until one of the processes may have ended.
    ///
    /// Whatever descends from us ends below a living process or becomes our child, and its end is
    /// told by `SIGCHLD`, or that of the former. Only one that came into the namespace from outside,
    /// as a `docker exec` shell does, has a parent whom we do not see, who is told in our stead.
    private func awaitEnd(ofOneOf left: [Int32], until deadline: Instant) {
        guard let stranger = left.first(where: { ProcessTable.parent(of: $0) == 0 }) else {
            turn(until: deadline)
            return
        }
        do throws(Errno) {
            let handle = try ProcessHandle(stranger)
            turn(until: deadline, also: handle.descriptor.rawValue)
        } catch .noSuchProcess {
            // It has ended.
        } catch {
            turn(until: min(deadline, .now.advanced(byMilliseconds: Self.look)))
        }
    }

    private func killLeftovers(_ first: [Int32]) {
        var left = first
        guard !left.isEmpty else { return }
        log.warning(
            "killing what did not end in time",
            ["processes": .number(Int64(left.count))]
        )
        let deadline = Instant.now.advanced(byMilliseconds: Self.patience)
        var killed: Set<Int32> = []
        while !left.isEmpty, Instant.now < deadline {
            // Stopped first, so that none can fork away from the blow.
            for pid in left { send(.stop, to: pid) }
            left = leftovers()
            for pid in left { send(.kill, to: pid) }
            // One that was born until then is looked for at once: nobody tells of its end, yet.
            if killed.isSuperset(of: left) { awaitEnd(ofOneOf: left, until: deadline) }
            killed.formUnion(left)
            left = leftovers()
        }
        if !left.isEmpty {
            log.error(
                "processes do not end even by KILL",
                ["processes": .number(Int64(left.count))]
            )
        }
    }

    /// Every process that is to end and has not.
    private func leftovers() -> [Int32] {
        let own = CurrentProcess.id
        let worker = volume?.process.pid
        let all =
            own == 1
            ? (try? ProcessTable.processes()) ?? []
            : (try? ProcessTable.descendants(of: own)) ?? []
        return all.filter { pid in
            pid != own && pid != worker && !guardians.contains { $0.process.pid == pid }
                && !ProcessTable.hasEnded(pid)
        }
    }

    /// Sends a signal to a process that cannot be one that took its number meanwhile: as process 1
    /// there is none that is not to get it; else its descent is looked at once more.
    private func send(_ signal: Signal, to pid: Int32) {
        guard CurrentProcess.id != 1 else {
            try? ProcessTable.send(signal, to: pid)
            return
        }
        do throws(Errno) {
            let handle = try ProcessHandle(pid)
            guard ProcessTable.isDescendant(pid, of: CurrentProcess.id) else { return }
            try handle.send(signal)
        } catch .noFunction {
            try? ProcessTable.send(signal, to: pid)
        } catch {
            // It has ended.
        }
    }

    /// Ends the command's group, without a look at which processes there are: they may not be ours, and
    /// without a `/proc` of our own processes there is nothing else to go by.
    private func endGroup() {
        guard let command else { return }
        do throws(Errno) {
            try ProcessTable.send(.terminate, toGroup: command.pid)
            try ProcessTable.send(.continue, toGroup: command.pid)
            let grace = Instant.now.advanced(byMilliseconds: settings.stopGrace)
            while !isHurried, Instant.now < grace {
                turn(until: grace)
                try ProcessTable.send(.continue, toGroup: command.pid)
            }
            try ProcessTable.send(.kill, toGroup: command.pid)
        } catch {
            // The group is empty.
        }
    }
}
