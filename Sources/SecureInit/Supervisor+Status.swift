internal import CryptFS
internal import Linux

extension Supervisor {
    /// Lets `secure-init status` ask from now on, where that is possible.
    func listenForStatus() {
        guard settings.answersStatus else { return }
        do throws(Errno) {
            try statusSocket.open()
        } catch {
            log.warning("status cannot be asked for: \(error)")
        }
    }

    /// Answers one who asks: whoever asks without end does not keep signals waiting.
    func answerStatus() {
        do throws(Errno) {
            try statusSocket.answer { report }
        } catch {
            // It would be ready, and fail, for ever.
            statusSocket.close()
            log.warning("status cannot be asked for any more: \(error)")
        }
    }

    /// Where the volume is seen, or is going to be.
    private var mountPath: String {
        guard case .mount(let mountPoint) = volume?.place else {
            return absolute(settings.mountPoint)
        }
        return mountPoint.path
    }

    /// How it is.
    private var report: StatusReport {
        let now = Instant.now
        var report = StatusReport()
        report.phase = phase
        report.age = now.milliseconds(since: phaseBegan)
        report.pid = Int64(CurrentProcess.id)
        if let key = plan.key.shownName {
            report.keySource = key
            report.keyIDs = keyIDs
        }
        if case .waitingForKey = phase {
            report.wait = StatusReport.Wait(
                cause: keyWait.cause,
                attempts: keyWait.attempts,
                next: keyWait.next.map { $0.milliseconds(since: now) }
            )
        }
        if plan.key.isFetched {
            report.fetcher = StatusReport.Fetcher(
                pid: fetch?.process.flatMap { $0.end == nil ? Int64($0.pid) : nil },
                restarts: keyWait.restarts
            )
        }
        if !settings.withoutVolume {
            report.volume = StatusReport.Volume(
                storage: absolute(settings.storage),
                mountPoint: mountPath,
                view: settings.view == .mounted ? "mount" : "memory",
                format: volume?.format,
                isMounted: volume?.isMounted ?? false,
                pid: volume.flatMap { $0.process.end == nil ? Int64($0.process.pid) : nil }
            )
        }
        report.command.name = plan.arguments.pointer[0].map { String(cString: $0) }
        if let command, command.end == nil {
            report.command.pid = Int64(command.pid)
            report.command.age = now.milliseconds(since: command.began)
        }
        report.lastError = memory.line.map { line in
            StatusReport.Problem(
                level: line.level.name,
                message: line.sentence,
                phase: line.phase.rawValue,
                age: now.milliseconds(since: line.moment)
            )
        }
        return report
    }
}
