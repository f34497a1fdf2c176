internal import Linux

extension ServerAddress {
    /// Connects to the first of the host's addresses that takes a connection.
    ///
    /// - Parameter limit: For all addresses together: each has its share of the time that is left.
    /// - Returns: The connection.
    /// - Throws: ``FetchFailure``: why the last one could not be had.
    func connect(within limit: Duration) throws(FetchFailure) -> StreamSocket {
        let addresses: [InternetAddress]
        do throws(ResolverError) {
            addresses = try InternetAddress.resolve(host: host, port: port)
        } catch {
            throw .nameDoesNotResolve(error)
        }
        let deadline = ContinuousClock.now.advanced(by: limit)
        var failure = FetchFailure.connectionRefused
        for (index, address) in addresses.enumerated() {
            let left = ContinuousClock.now.duration(to: deadline)
            let share = left / (addresses.count - index)
            do throws(Errno) {
                return try StreamSocket(connectingTo: address, until: .now.advanced(by: share))
            } catch {
                // An address of a family this host has not is no news about the server.
                let isForeign = [
                    .networkUnreachable, .addressNotAvailable, .addressFamilyNotSupported,
                ].contains(error)
                if index == 0 || !isForeign { failure = Self.explain(error, limit) }
            }
        }
        throw failure
    }

    private static func explain(_ errno: Errno, _ limit: Duration) -> FetchFailure {
        switch errno {
        case .connectionRefused: .connectionRefused
        case .timedOut: .connectTimedOut(seconds: limit.shownSeconds)
        default: .unreachable(errno)
        }
    }
}
