internal import CryptFS
internal import Cryptography
internal import Linux
internal import VolumeTransfer

// Where there is no FUSE: the volume is decrypted into a tmpfs that is there already.
extension WorkerProcess {
    /// Shows a volume in memory until it is told to end.
    ///
    /// - Returns: The status to end with.
    static func show(_ job: WorkerJob, reportingTo frames: borrowing FrameWriter) -> Int32 {
        let orders = ViewOrderReader(
            OwnedDescriptor(takingOwnershipOf: HelperProcess.Inherited.object)
        )
        do throws(ViewError) {
            // Wipes what a crash left.
            let directory = try ViewDirectory(job.viewPath, storage: job.location.storage)
            guard job.view != .wiped else {
                try directory.wipe()
                return 0
            }
            guard let view = try fill(directory, job, orders, frames) else { return 0 }
            return try follow(orders, view, writesBack: job.view == .memoryWrittenBack, frames)
        } catch {
            let code = UInt8(truncatingIfNeeded: error.exitCode)
            frames.write(.failure, code: code, "\(error)")
            return error.exitCode
        }
    }

    /// Decrypts everything; wiped again where that fails.
    ///
    /// - Returns: Nil where an order came before it was complete, and so everything was wiped.
    private static func fill(
        _ directory: ViewDirectory,
        _ job: WorkerJob,
        _ orders: borrowing ViewOrderReader,
        _ frames: borrowing FrameWriter
    ) throws(ViewError) -> MemoryView? {
        do throws(ViewError) {
            let volume = try openStored(job, frames)
            if directory.maySwap {
                let text = "this machine swaps: what is decrypted may come to lie on its disk"
                frames.write(.line, code: 1, text)
            }
            for sentence in Sandbox.worker.enter(
                changing: [volume.rootDescriptor, directory.descriptor]
            ) {
                frames.write(.line, code: 2, sentence)
            }
            frames.write(.opened, volume.formatName)
            let view = MemoryView(
                of: volume,
                in: directory,
                owner: job.owner.map { MemoryView.Owner(user: $0.user, group: $0.group) },
                isReadOnly: job.view != .memoryWrittenBack
            )
            var due = Instant.now.advanced(byMilliseconds: ViewProgress.interval)
            try view.fill { done, total in
                if Instant.now >= due {
                    frames.write(.line, code: 2, ViewProgress.line(done, total))
                    due = Instant.now.advanced(byMilliseconds: ViewProgress.interval)
                }
                return !orders.isWaiting
            }
            frames.write(.ready, SecretBytes(copying: []))
            return view
        } catch {
            try directory.wipe()
            guard case .interrupted = error else { throw error }
            return nil
        }
    }

    private static func follow(
        _ orders: borrowing ViewOrderReader,
        _ view: MemoryView,
        writesBack: Bool,
        _ frames: borrowing FrameWriter
    ) throws(ViewError) -> Int32 {
        // Nil: the supervisor is gone, and nobody would know what could not be stored.
        while let order = orders.next() {
            guard writesBack, order != .discard else { break }
            let failures = store(view, isLast: order == .finish, frames)
            if order == .finish {
                try view.wipe()
                return failures == 0 ? 0 : ExitCode.inputOutput.rawValue
            }
        }
        try view.wipe()
        return 0
    }

    /// - Returns: How much could not be stored.
    private static func store(
        _ view: MemoryView,
        isLast: Bool,
        _ frames: borrowing FrameWriter
    ) -> Int {
        let report = view.store()
        for (path, cause) in report.failures.prefix(ViewProgress.failureLimit) {
            frames.write(.line, code: 1, "not written back: \(path): \(cause)")
        }
        if report.special > 0 {
            let text = "pipes, sockets and devices are not written back: \(report.special)"
            frames.write(.line, code: 1, text)
        }
        let failed = report.failures.count
        let counts = "\(report.written) written, \(report.removed) removed"
        if failed == 0 {
            frames.write(.line, code: 2, "changes are written back: \(counts)")
        } else if isLast {
            let text = "changes are lost: \(failed) could not be written back, \(counts)"
            frames.write(.failure, code: UInt8(ExitCode.inputOutput.rawValue), text)
        }
        if !isLast {
            let text = failed == 0 ? counts : "\(failed) could not be written back, \(counts)"
            frames.write(.stored, code: failed == 0 ? 0 : 1, text)
        }
        return failed
    }

    /// Opens the volume, or makes one; for writing only where it is to be written back.
    private static func openStored(
        _ job: WorkerJob,
        _ frames: borrowing FrameWriter
    ) throws(ViewError) -> StoredVolume {
        let writes = job.view == .memoryWrittenBack
        do throws(VolumeError) {
            var options = job.options
            options.createsIfEmpty = options.createsIfEmpty && writes
            if options.createsIfEmpty,
                try !StorageDirectoryFile.hasContent(job.location.storage)
            {
                // Made, and let go of again.
                let made = try Volume.open(job.location, key: job.keys[0], options: options)
                if made.isNew {
                    if let owner = job.owner { giveAway(made.root, to: owner) }
                    frames.write(.line, code: 2, "new volume made in \(job.location.storage)")
                }
            }
        } catch {
            throw .volume(error)
        }
        do throws(TransferError) {
            let volume = try openStored(job.location, job.keys, writes ? .writing : .reading)
            // What cannot be removed takes room, and no more.
            if writes { try? volume.removeDrafts() }
            if let last = volume.abandoned {
                frames.write(.line, code: 2, "the last writer did not unmount: \(last)")
            }
            return volume
        } catch {
            throw .transfer(error)
        }
    }

    /// With the key as served, or an older one.
    private static func openStored(
        _ location: VolumeLocation,
        _ keys: [SecretBytes],
        _ access: StoredVolume.Access
    ) throws(TransferError) -> StoredVolume {
        for key in keys.dropLast() {
            do throws(TransferError) {
                return try StoredVolume(location, key: key, access: access)
            } catch .volume(.wrongKey) {
                continue
            }
        }
        return try StoredVolume(location, key: keys[keys.count - 1], access: access)
    }
}

/// How far a view is, for the log.
enum ViewProgress {
    /// Milliseconds between two lines.
    static let interval: Int64 = 10_000

    /// How many files that could not be stored get a line of their own.
    static let failureLimit = 16

    static func line(_ done: UInt64, _ total: UInt64) -> String {
        let text = "decrypting into memory: \(done >> 20) of \(total >> 20) MiB"
        return text
    }
}
