internal import Logging
internal import NIOPosix
internal import ServiceLifecycle

/// Has the audit log signed from time to time, and at the end, while the store is open.
struct CheckpointService: Service, CustomStringConvertible {
    let gate: StoreGate
    let logger: Logger

    var description: String { "audit checkpoints" }

    /// What an intruder could rewrite unseen is at most what came since: ten minutes.
    private static let interval = Duration.seconds(600)

    func run() async throws {
        // Set in motion by the opening of the store, which may be at once or in a week.
        while !Task.isShuttingDownGracefully, !Task.isCancelled {
            await sign()
            try? await cancelWhenGracefulShutdown { try await Task.sleep(for: Self.interval) }
        }
        // Cancelled where another service could not begin: then nothing has happened.
        if !Task.isCancelled { await sign() }
    }

    private func sign() async {
        do {
            // Waits for a disk.
            _ = try await NIOThreadPool.singleton.runIfActive { try gate.signAudit() }
        } catch {
            logger.error("The audit log was not signed", metadata: ["cause": "\(error)"])
        }
    }
}
