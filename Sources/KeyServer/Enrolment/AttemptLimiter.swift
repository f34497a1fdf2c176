internal import AccessRules
internal import Synchronization

/// Holds down attempts of who has shown nothing yet: those that fail by address, and all together.
///
/// By a clock that nobody sets. What it remembers is bounded: where it is full of addresses that
/// have just failed, those it does not know are told to wait as well.
final class AttemptLimiter: Sendable {
    /// Attempts that may follow one another at once, and how long one takes to be forgotten.
    struct Allowance: Sendable {
        let burst: Int
        let interval: Duration

        /// Of an address: failed ones.
        static let ofAddress = Allowance(burst: 20, interval: .seconds(3))

        /// Of all addresses together.
        static let ofAll = Allowance(burst: 200, interval: .milliseconds(50))

        fileprivate var span: Duration { interval * burst }
    }

    /// The most addresses that are remembered.
    static let maximumAddresses = 8192

    private struct State {
        /// When what was charged will have been forgotten.
        var all: ContinuousClock.Instant
        var addresses: [IPAddress: ContinuousClock.Instant] = [:]
    }

    private let ofAddress: Allowance
    private let ofAll: Allowance
    private let now: @Sendable () -> ContinuousClock.Instant
    private let state: Mutex<State>

    init(
        ofAddress: Allowance = .ofAddress,
        ofAll: Allowance = .ofAll,
        now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
    ) {
        self.ofAddress = ofAddress
        self.ofAll = ofAll
        self.now = now
        state = Mutex(State(all: now()))
    }

    /// Charges an attempt, before anything is done about it.
    ///
    /// - Parameter address: Whose; `nil` where nobody knows.
    /// - Returns: `nil` for one that may go on; else in how many seconds to ask again.
    func admit(_ address: IPAddress?) -> Int? {
        let now = now()
        let network = address?.attemptNetwork
        return state.withLock { state in
            let all = max(state.all, now) + ofAll.interval
            guard all - now <= ofAll.span else { return Self.seconds(ofAll.interval) }
            guard let network else {
                state.all = all
                return nil
            }
            if state.addresses[network] == nil, state.addresses.count >= Self.maximumAddresses {
                state.addresses = state.addresses.filter { $0.value > now }
                guard state.addresses.count < Self.maximumAddresses else {
                    return Self.seconds(ofAddress.interval)
                }
            }
            let own = max(state.addresses[network] ?? now, now) + ofAddress.interval
            guard own - now <= ofAddress.span else {
                return Self.seconds(own - now - ofAddress.span)
            }
            state.all = all
            state.addresses[network] = own
            return nil
        }
    }

    /// Takes back what an attempt was charged that succeeded: a fleet may stand behind one address.
    func refund(_ address: IPAddress?) {
        guard let network = address?.attemptNetwork else { return }
        state.withLock { state in
            guard let charged = state.addresses[network] else { return }
            let left = charged - ofAddress.interval
            state.addresses[network] = left > now() ? left : nil
        }
    }

    private static func seconds(_ duration: Duration) -> Int {
        max(1, Int(duration.components.seconds) + (duration.components.attoseconds > 0 ? 1 : 0))
    }
}

extension IPAddress {
    /// Who holds one address of a network of IPv6 holds all 2^64.
    fileprivate var attemptNetwork: IPAddress {
        guard bytes.count == 16 else { return self }
        let network = Array(bytes.prefix(8)) + [UInt8](repeating: 0, count: 8)
        return network.withUnsafeBytes { IPAddress(bytes: $0) } ?? self
    }
}
