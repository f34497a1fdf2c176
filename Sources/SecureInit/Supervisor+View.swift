internal import CryptFS
internal import Cryptography
internal import KeyProtocol
internal import Linux

// A volume in memory: `--view memory`.
extension Supervisor {
    /// Has the worker decrypt the volume into the directory of `--mount`, and waits until it has.
    ///
    /// - Throws: ``InitError/volume(_:_:)``; interrupted by a signal at any moment.
    func openView(with keys: KeyBundle) throws(InitError) {
        guard let key = keys[KeyBundle.defaultName] else { throw .noKeySource }
        let began = Instant.now
        let volume = try startView(
            [key.text] + keys.olderGenerations(of: KeyBundle.defaultName).map(\.text),
            isGenerated: key.generated != nil
        )
        try wait(for: volume) { $0.progress == .ready }
        log.info(
            "volume decrypted into memory",
            [
                "view": .text(settings.mountPoint), "storage": .text(settings.storage),
                "after_ms": .number(Instant.now.milliseconds(since: began)),
            ]
        )
        guard settings.view == .memoryWrittenBack else { return }
        do throws(Errno) {
            try syncSocket.open()
        } catch {
            log.warning("sync cannot be asked for: \(error)")
        }
    }

    /// Has what has changed written back, once the command has run, and everything wiped.
    ///
    /// - Returns: Whether nothing was lost.
    func closeView(_ volume: MountedVolume, _ orders: ViewOrders) -> Bool {
        syncSocket.close()
        let isLost = volume.loss != nil
        if let loss = volume.loss, !volume.isLossReported { log.error("\(loss)") }
        volume.isClosing = true
        guard !isLost else {
            awaitWorker(volume, until: nil)
            // One that said what was wrong has wiped what there was.
            if volume.failure == nil { wipeView() }
            return false
        }
        orders.give(command == nil ? .discard : .finish)
        awaitWorker(volume, until: nil)
        if let fault = volume.fault {
            log.error("\(fault)")
            if volume.failure == nil { wipeView() }
            return false
        }
        log.info("volume wiped from memory", ["view": .text(settings.mountPoint)])
        return true
    }

    /// Takes one who asks for what has changed to be stored.
    func takeSync() {
        do throws(Errno) {
            guard try syncSocket.take(), case .memory(let orders) = volume?.place else { return }
            orders.give(.store)
        } catch {
            // It would be ready, and fail, for ever.
            syncSocket.close()
            log.warning("sync cannot be asked for any more: \(error)")
        }
    }

    /// In place of a worker that was killed: another, which has no key.
    private func wipeView() {
        do throws(InitError) {
            let wiper = try startView([], isGenerated: false)
            wiper.isClosing = true
            awaitWorker(wiper, until: nil)
            if let fault = wiper.fault { throw fault }
            log.info("volume wiped from memory", ["view": .text(settings.mountPoint)])
        } catch {
            log.error("\(error)")
        }
    }

    private func startView(
        _ keys: [SecretBytes],
        isGenerated: Bool
    ) throws(InitError) -> MountedVolume {
        do throws(Errno) {
            let (read, write) = try Pipe().ends()
            let input = OwnedDescriptor(takingOwnershipOf: read)
            let orders = ViewOrders(OwnedDescriptor(takingOwnershipOf: write))
            let job = WorkerJob(
                location: VolumeLocation(
                    storage: absolute(settings.storage),
                    configuration: settings.configuration
                ),
                options: volumeOptions(keyIsGenerated: isGenerated),
                owner: plan.identity.map { WorkerJob.Owner(user: $0.user, group: $0.group) },
                view: keys.isEmpty ? .wiped : settings.view,
                viewPath: absolute(settings.mountPoint),
                keys: keys.isEmpty ? [SecretBytes(copying: [])] : keys
            )
            let process = try HelperProcess(
                .worker,
                rights: try .lasting(WorkerProcess.capabilities),
                job: job.encoded(),
                object: input.rawValue,
                maximumPayloadCount: Frame.maximumTextCount + 1
            )
            let volume = MountedVolume(process, at: .memory(orders))
            self.volume = volume
            return volume
        } catch {
            throw .system("cannot start the volume's process", error)
        }
    }
}
