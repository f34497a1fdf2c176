internal import Linux

extension Supervisor {
    /// Has a mount taken away, should this process be killed.
    ///
    /// Returns when whoever kills us comes too late to prevent that.
    ///
    /// - Parameters:
    ///   - charge: What is, or is about to be, mounted.
    ///   - object: What its guardian is handed.
    func guardMount(_ charge: GuardianProcess.Charge, _ object: Int32) {
        // With process 1 the kernel ends every process of the namespace, and a guardian with them.
        guard CurrentProcess.id != 1 else { return }
        do throws(Errno) {
            let guardian = try Guardian(GuardianJob(charge, log), object)
            guardians.append(guardian)
            while guardian.process.report == .pending {
                turn(until: nil, also: guardian.process.reportDescriptor)
            }
        } catch {
            lacksGuardian(error)
        }
    }

    private func lacksGuardian(_ cause: Errno) {
        log.warning("no guardian: killed, secure-init leaves what it mounts: \(cause)")
    }

    /// Takes what guardians say, and replaces one that has ended; once.
    func attendToGuardians() {
        for guardian in guardians {
            guardian.process.listen { kind, payload in
                if kind == .line { log.relay(payload) }
            }
            guard guardian.process.end != nil, !guardian.isGivenUp else { continue }
            guard !guardian.isReplaced else {
                guardian.giveUp()
                log.warning("the guardian ended again: killed, secure-init leaves what it mounted")
                continue
            }
            log.warning("the guardian ended unexpectedly; starting it again")
            do throws(Errno) {
                try guardian.replace()
            } catch {
                guardian.giveUp()
                lacksGuardian(error)
            }
        }
    }

    /// Ends the guardians, for there is nothing left to guard.
    func dismissGuardians() {
        for guardian in guardians {
            guardian.giveUp()
            while guardian.process.end == nil { turn(until: nil) }
        }
        guardians = []
    }
}
