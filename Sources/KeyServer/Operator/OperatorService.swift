internal import Logging
internal import NIOPosix
internal import ServiceLifecycle

/// Has operators answered while the server runs.
struct OperatorService: Service, CustomStringConvertible {
    let directory: StateDirectory
    let gate: StoreGate
    let logger: Logger

    var description: String { "operator's socket" }

    func run() async throws {
        let desk: OperatorDesk
        do throws(KeyServerError) {
            desk = try OperatorDesk(directory, gate: gate, logger: logger)
        } catch {
            // A server that has its keys can do without.
            logger.warning("No operator can be answered", metadata: ["cause": "\(error)"])
            try await gracefulShutdown()
            return
        }
        // Of its own: those of the pool are for what ends soon.
        let thread = NIOThreadPool(numberOfThreads: 1)
        thread.start()
        // Cancelled where another service could not begin.
        try await withTaskCancellationOrGracefulShutdownHandler {
            try await thread.runIfActive { desk.run() }
        } onCancelOrGracefulShutdown: {
            desk.stop()
        }
        OperatorSocket.remove(from: directory)
        try await thread.shutdownGracefully()
    }
}
