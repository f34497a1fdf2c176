internal import Glibc

/// A mutex, and a condition to wait for under it.
///
/// For who waits until something has changed, which `Mutex` cannot. C: `pthread_mutex_t`,
/// `pthread_cond_t`.
struct Monitor: ~Copyable, @unchecked Sendable {
    // Unchecked: the pointers are constant, and what they point to is for any thread.

    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    init() {
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(changed, nil)
    }

    deinit {
        pthread_cond_destroy(changed)
        pthread_mutex_destroy(mutex)
        mutex.deallocate()
        changed.deallocate()
    }

    /// Waits until no other thread is in here, and keeps others out.
    func lock() { pthread_mutex_lock(mutex) }

    /// Lets others in.
    func unlock() { pthread_mutex_unlock(mutex) }

    /// Lets others in until one of them says that something has changed, or for no reason.
    func wait() { pthread_cond_wait(changed, mutex) }

    /// Wakes one that waits.
    func signal() { pthread_cond_signal(changed) }

    /// Wakes all that wait.
    func broadcast() { pthread_cond_broadcast(changed) }
}
