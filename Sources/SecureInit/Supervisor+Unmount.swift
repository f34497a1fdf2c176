internal import CryptFS
internal import Linux

extension Supervisor {
    /// How long a mount may stay busy before it is detached, in milliseconds.
    private static let busyLimit: Int64 = 1000

    /// How long the worker may go on serving a detached mount, in milliseconds.
    private static let detachedLimit: Int64 = 10_000

    /// How long the worker may go on after the unmounting before a line says so, in milliseconds.
    private static let quietLimit: Int64 = 5000

    /// Unmounts, and waits until the worker has written everything and is gone.
    ///
    /// - Returns: Whether nothing was lost.
    func closeVolume() -> Bool {
        guard let volume else { return true }
        phase = .unmounting
        switch volume.place {
        case .mount(let mountPoint): return close(volume, mountPoint)
        case .memory(let orders): return closeView(volume, orders)
        }
    }

    private func close(_ volume: MountedVolume, _ mountPoint: MountPoint) -> Bool {
        let isLost = volume.loss != nil
        if let loss = volume.loss, !volume.isLossReported { log.error("\(loss)") }
        volume.isClosing = true
        guard volume.isMounted else {
            // Nothing was written that a rename would not have made whole.
            volume.process.kill()
            awaitWorker(volume, until: nil)
            return true
        }
        let isDetached = isLost ? detach(volume, mountPoint) : unmount(volume, mountPoint)
        if isDetached {
            awaitWorker(volume, until: .now.advanced(byMilliseconds: Self.detachedLimit))
        } else {
            awaitStored(volume, mountPoint)
        }
        if volume.process.end == nil {
            log.error("the volume's process does not end; killing it")
            volume.process.kill()
            awaitWorker(volume, until: nil)
        }
        guard !isLost else { return false }
        if let fault = volume.fault {
            log.error("\(fault)")
            return false
        }
        log.info("volume unmounted", ["mount": .text(mountPoint.path)])
        return true
    }

    /// Unmounts; detaches what stays busy.
    ///
    /// - Returns: Whether it had to be detached.
    private func unmount(_ volume: MountedVolume, _ mountPoint: MountPoint) -> Bool {
        let deadline = Instant.now.advanced(byMilliseconds: Self.busyLimit)
        while true {
            do throws(VolumeError) {
                try mountPoint.unmount(lazily: false)
                volume.isMounted = false
                return false
            } catch {
                guard case .system(_, _, .busy) = error else {
                    log.warning("\(error)")
                    return detach(volume, mountPoint)
                }
                guard Instant.now < deadline, !isHurried else {
                    log.warning(
                        "the volume is still in use; detaching it",
                        ["mount": .text(mountPoint.path)]
                    )
                    return detach(volume, mountPoint)
                }
            }
            turn(until: .now.advanced(byMilliseconds: 20))
        }
    }

    private func detach(_ volume: MountedVolume, _ mountPoint: MountPoint) -> Bool {
        do throws(VolumeError) {
            try mountPoint.unmount(lazily: true)
        } catch {
            // `EINVAL`: somebody was quicker.
            log.debug("\(error)")
        }
        volume.isMounted = false
        return true
    }

    /// Waits for as long as the worker takes after the unmounting.
    ///
    /// Storing what is left has no limit. Nor has a copy of the mount in a mount name space that was made meanwhile: the
    /// worker serves it as long as it is there, and what is written there is stored.
    private func awaitStored(_ volume: MountedVolume, _ mountPoint: MountPoint) {
        awaitWorker(volume, until: .now.advanced(byMilliseconds: Self.quietLimit))
        guard volume.process.end == nil else { return }
        log.warning(
            "the volume's process goes on after the unmounting",
            ["mount": .text(mountPoint.path)]
        )
        awaitWorker(volume, until: nil)
    }

    func awaitWorker(_ volume: MountedVolume, until deadline: Instant?) {
        while volume.process.end == nil {
            if let deadline, Instant.now >= deadline { return }
            turn(until: deadline)
        }
    }
}
