internal import CryptFS
internal import Cryptography
internal import KeyProtocol
internal import Linux

extension Supervisor {
    /// Has the worker open the volume, mounts it, and waits until it answers.
    ///
    /// - Throws: ``InitError/volume(_:_:)``; interrupted by a signal at any moment.
    func openVolume(with keys: KeyBundle) throws(InitError) {
        guard !settings.withoutVolume else { return }
        phase = .openingVolume
        guard settings.view == .mounted else { return try openView(with: keys) }
        let began = Instant.now
        try checkRights()
        let mountPoint = try translatingErrors { () throws(VolumeError) in
            try MountPoint(preparing: settings.mountPoint, storage: settings.storage)
        }
        guardMount(.view, mountPoint.descriptor)
        // Closed when this returns: from then on only the worker keeps the mount alive.
        let device = try translatingErrors(MountPoint.openDevice)
        let volume = try openStorage(with: keys, device: device.rawValue, at: mountPoint)
        try translatingErrors { () throws(VolumeError) in
            try mountPoint.mount(device: device, readOnly: settings.readOnly)
        }
        volume.isMounted = true
        try wait(for: volume) { $0.progress == .ready }
        do throws(VolumeError) {
            try mountPoint.widenReadAhead()
        } catch {
            log.debug("\(error)")
        }
        log.info(
            "volume mounted",
            [
                "mount": .text(mountPoint.path), "storage": .text(settings.storage),
                "after_ms": .number(Instant.now.milliseconds(since: began)),
            ]
        )
    }

    /// Before anything is made in the storage: what cannot be mounted need not be opened.
    private func checkRights() throws(InitError) {
        let own = try? ProcessCapabilities()
        guard !(own?.effective.contains(.administer) ?? false) else { return }
        guard CurrentProcess.effectiveUser == 0 else {
            throw .volume(
                .system,
                "mounting a volume takes root: start the container as root, with --device /dev/fuse"
                    + " --cap-add SYS_ADMIN, and give the command its user with --user; or use"
                    + " --env-only"
            )
        }
        let error = VolumeError.mountNotPermitted(
            path: settings.mountPoint,
            .operationNotPermitted
        )
        throw .volume(.system, "\(error)")
    }

    /// Has a worker open the storage, with the newest key or an older one.
    private func openStorage(
        with keys: KeyBundle,
        device: Int32,
        at mountPoint: MountPoint
    ) throws(InitError) -> MountedVolume {
        do throws(InitError) {
            return try startWorker(keys, device: device, at: mountPoint)
        } catch .volume(.data, let message) {
            // The key has been rotated, perhaps, since the volume was open last.
            guard let all = try fetchOlderKeys(for: "the volume") else {
                throw .volume(.data, message)
            }
            while volume?.process.end == nil { try bootTurn(until: nil) }
            return try startWorker(all, device: device, at: mountPoint)
        }
    }

    /// Starts a worker and waits until it has opened the storage.
    private func startWorker(
        _ keys: KeyBundle,
        device: Int32,
        at mountPoint: MountPoint
    ) throws(InitError) -> MountedVolume {
        guard let key = keys[KeyBundle.defaultName] else { throw .noKeySource }
        let job = WorkerJob(
            location: VolumeLocation(
                storage: settings.storage,
                configuration: settings.configuration
            ),
            options: volumeOptions(keyIsGenerated: key.generated != nil),
            owner: plan.identity.map { WorkerJob.Owner(user: $0.user, group: $0.group) },
            keys: [key.text]
                + keys.olderGenerations(of: KeyBundle.defaultName).map(\.text)
        )
        let volume: MountedVolume
        do throws(Errno) {
            let process = try HelperProcess(
                .worker,
                rights: try .lasting(WorkerProcess.capabilities),
                job: job.encoded(),
                object: device,
                maximumPayloadCount: Frame.maximumTextCount + 1
            )
            volume = MountedVolume(process, at: .mount(mountPoint))
            self.volume = volume
        } catch {
            throw .system("cannot start the volume's process", error)
        }
        try wait(for: volume) { $0.progress != .starting }
        return volume
    }

    /// How the settings have a volume opened.
    func volumeOptions(keyIsGenerated: Bool) -> VolumeOptions {
        VolumeOptions(
            isReadOnly: settings.readOnly,
            isShared: settings.sharesStorage,
            keepsJournal: settings.keepsJournal,
            createsIfEmpty: settings.creation == .automatic,
            format: settings.volumeFormat,
            keyIsGenerated: keyIsGenerated
        )
    }

    func wait(
        for volume: MountedVolume,
        _ isDone: (MountedVolume) -> Bool
    ) throws(InitError) {
        while !isDone(volume) {
            if let loss = volume.loss {
                volume.isLossReported = true
                throw loss
            }
            if case .failed(let failure) = volume.process.report {
                throw .start(command: "secure-init's own volume process", failure)
            }
            try bootTurn(until: nil)
        }
    }

    /// Takes what the worker said.
    func listenToWorker() {
        guard let volume else { return }
        volume.process.listen { kind, payload in
            let text = String(decoding: payload.dropFirst(), as: UTF8.self)
            switch kind {
            case .opened:
                volume.format = String(decoding: payload, as: UTF8.self)
                volume.progress = .opened
            case .ready:
                volume.progress = .ready
            case .failure:
                let code = payload.first.map(Int32.init).flatMap(ExitCode.init)
                volume.failure = .volume(code ?? .inputOutput, text)
            case .line:
                log.relay(payload)
            case .stored:
                syncSocket.answer(isDone: payload.first == 0, text)
            case .cause, .keys, .wait, .certificate, .token:
                break
            }
        }
    }
}

/// Gives a volume's error the exit code it has.
private func translatingErrors<Result: ~Copyable>(
    _ body: () throws(VolumeError) -> Result
) throws(InitError) -> Result {
    do throws(VolumeError) {
        return try body()
    } catch {
        throw .volume(ExitCode(rawValue: error.exitCode) ?? .inputOutput, "\(error)")
    }
}
