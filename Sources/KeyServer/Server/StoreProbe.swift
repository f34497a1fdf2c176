internal import NIOCore
internal import NIOPosix
internal import Synchronization

/// What monitoring wants to know of the store.
struct StoreStatus: Equatable, Sendable {
    /// Whether an operator has shut it.
    var isLockedDown: Bool

    /// Whether there are keys in it that the server cannot open.
    var isSealed: Bool

    /// When the next certificate of a device ends.
    var nextCertificateEnd: Timestamp?
}

/// Looks at the store for monitoring: three look-ups by index.
///
/// However many ask, one looks; and nobody waits for a store that does not answer.
final class StoreProbe: Sendable {
    private let storage: any Storage
    private let canOpenKeys: @Sendable () -> Bool
    private let metrics: ServerMetrics
    private let patience: TimeAmount
    private let pending = Mutex<EventLoopFuture<StoreStatus>?>(nil)

    /// - Parameters:
    ///   - storage: What is looked at.
    ///   - metrics: Where failures are counted.
    ///   - patience: How long whoever asks waits.
    ///   - canOpenKeys: Whether the server has the root key.
    init(
        _ storage: any Storage,
        metrics: ServerMetrics,
        patience: TimeAmount = .seconds(2),
        canOpenKeys: @escaping @Sendable () -> Bool
    ) {
        self.storage = storage
        self.canOpenKeys = canOpenKeys
        self.metrics = metrics
        self.patience = patience
    }

    /// Looks, or waits for the look that is under way.
    ///
    /// - Throws: ``KeyServerError/storage(reason:)``, also where time is up.
    func look() async throws -> StoreStatus {
        let loop = MultiThreadedEventLoopGroup.singleton.any()
        let look = begin(on: loop)
        // Whichever is first counts: completing a promise again changes nothing.
        let answer = loop.makePromise(of: StoreStatus.self)
        let timer = loop.scheduleTask(in: patience) {
            answer.fail(KeyServerError.storage(reason: "it does not answer in time"))
        }
        look.whenComplete { result in
            timer.cancel()
            answer.completeWith(result)
        }
        return try await answer.futureResult.get()
    }

    private func begin(on loop: any EventLoop) -> EventLoopFuture<StoreStatus> {
        pending.withLock { pending in
            if let pending { return pending }
            let promise = loop.makePromise(of: StoreStatus.self)
            pending = promise.futureResult
            // Waits for the store, so not on a thread that serves connections.
            NIOThreadPool.singleton.submit { _ in
                let result = self.read()
                self.pending.withLock { $0 = nil }
                promise.completeWith(result.mapError { $0 as any Error })
            }
            return promise.futureResult
        }
    }

    private func read() -> Result<StoreStatus, KeyServerError> {
        do throws(KeyServerError) {
            let status = try storage.transaction(.reading) { store throws(KeyServerError) in
                StoreStatus(
                    isLockedDown: try store.lockdown() != nil,
                    isSealed: try store.seal() != nil && !canOpenKeys(),
                    nextCertificateEnd: try store.nextCertificateEnd(after: .now)
                )
            }
            return .success(status)
        } catch {
            metrics.storageErrors.add()
            return .failure(error)
        }
    }
}
