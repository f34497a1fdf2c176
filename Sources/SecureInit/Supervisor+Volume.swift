internal import KeyProtocol
internal import Linux

extension Supervisor {
    /// Has the worker open the volume, mounts it, and waits until it answers.
    func openVolume(with keys: KeyBundle) throws(InitError) {
        guard !settings.withoutVolume else { return }
        throw .volume(.configuration, "volumes are not built in yet: use --env-only")
    }

    /// Takes what the worker said.
    func listenToWorker() {}

    /// Unmounts, and waits until the worker has written everything.
    func closeVolume() -> Bool { true }
}
