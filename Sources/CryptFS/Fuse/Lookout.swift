internal import CFuse
internal import Synchronization

/// Looks out for the next request for a moment, before a thread sleeps until one comes.
///
/// A program that waits for each answer asks again within microseconds, and waking a thread on another
/// processor takes several times that. One thread of a session looks out at a time, and only as long as
/// looking out keeps being worth it: see ``Patience``.
final class Lookout: Sendable {
    private let patience: Mutex<Patience>?

    /// For how long one looks, in nanoseconds: about twice what waking takes.
    private static let duration: Int64 = 50_000

    /// - Parameter processors: How many there are to run on. On a single one nobody can ask while somebody
    ///   looks.
    init(processors: Int) {
        patience = processors > 1 ? Mutex(Patience()) : nil
    }

    /// Returns when there is a request, or not soon.
    func look(at device: Int32) {
        guard cfuse_asks_again_soon(Self.duration) != 0 else { return }
        _ = patience?.withLockIfAvailable { patience in
            guard patience.isLeft() else { return }
            patience.note(found: cfuse_look(device, Self.duration) != 0)
        }
    }
}
