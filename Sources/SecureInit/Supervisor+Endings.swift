internal import Linux

extension Supervisor {
    /// Ends everything that is left but the volume's worker: TERM, a grace, KILL.
    ///
    /// As process 1 that is the whole pid namespace, `docker exec` shells included, which the
    /// kernel would kill without asking a moment later. Else it is what came from the command.
    func endLeftovers() {
        guard Reaper.hasChildren || CurrentProcess.id == 1 else { return }
        guard CurrentProcess.seesOwnProcesses else {
            endGroup()
            return
        }
        var left = leftovers()
        guard !left.isEmpty else { return }
        log.info("ending what is left", ["processes": .number(Int64(left.count))])
        for pid in left {
            send(.terminate, to: pid)
            // A stopped process would sleep through it.
            send(.continue, to: pid)
        }
        let grace = Instant.now.advanced(byMilliseconds: settings.stopGrace)
        while !left.isEmpty, !isHurried, Instant.now < grace {
            turn(until: min(grace, .now.advanced(byMilliseconds: Self.look)))
            left = leftovers()
        }
        killLeftovers(left)
    }

    /// Milliseconds between two looks at processes that are not our children.
    ///
    /// Their end nobody tells us. Only at the very end: while the command runs, nothing is polled.
    private static let look: Int64 = 20

    /// How long the kernel may take over a KILL, in milliseconds.
    private static let patience: Int64 = 5000

    private func killLeftovers(_ first: [Int32]) {
        var left = first
        guard !left.isEmpty else { return }
        log.warning(
            "killing what did not end in time",
            ["processes": .number(Int64(left.count))]
        )
        let deadline = Instant.now.advanced(byMilliseconds: Self.patience)
        while !left.isEmpty, Instant.now < deadline {
            // Stopped first, so that none can fork away from the blow.
            for pid in left { send(.stop, to: pid) }
            for pid in leftovers() { send(.kill, to: pid) }
            turn(until: .now.advanced(byMilliseconds: Self.look))
            left = leftovers()
        }
        if !left.isEmpty {
            log.error(
                "processes do not end even by KILL",
                ["processes": .number(Int64(left.count))]
            )
        }
    }

    /// Every process that is to end, zombies not counted: they have.
    private func leftovers() -> [Int32] {
        let own = CurrentProcess.id
        let worker = volume?.process.pid
        let all =
            own == 1
            ? (try? ProcessTable.processes()) ?? []
            : (try? ProcessTable.descendants(of: own)) ?? []
        return all.filter { $0 != own && $0 != worker && !ProcessTable.isZombie($0) }
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

    /// Without a `/proc` of our own processes: the command's group is all there is to go by.
    private func endGroup() {
        guard let command else { return }
        do throws(Errno) {
            try ProcessTable.send(.terminate, toGroup: command.pid)
            try ProcessTable.send(.continue, toGroup: command.pid)
            let grace = Instant.now.advanced(byMilliseconds: settings.stopGrace)
            while !isHurried, Instant.now < grace {
                turn(until: min(grace, .now.advanced(byMilliseconds: Self.look)))
                try ProcessTable.send(.continue, toGroup: command.pid)
            }
            try ProcessTable.send(.kill, toGroup: command.pid)
        } catch {
            // The group is empty.
        }
    }
}
