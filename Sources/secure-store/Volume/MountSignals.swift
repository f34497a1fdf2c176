internal import CryptFS
internal import Glibc
internal import Synchronization

/// SIGINT, SIGTERM and SIGHUP unmount.
///
/// Handlers, and not a mask with `sigwait`: the runtime's threads are there before any of this runs
/// and would take a signal that only this thread blocks.
enum MountSignals {
    /// Where the handler writes to; -1 before there is a pipe.
    private static let pipe = Atomic<Int32>(-1)

    /// What the waiting thread is given.
    fileprivate final class Wait {
        let place: MountPoint
        let descriptor: Int32

        init(_ place: MountPoint, _ descriptor: Int32) {
            self.place = place
            self.descriptor = descriptor
        }
    }

    /// Unmounts at the first signal; where the mount is in use, at the second, lazily.
    ///
    /// - Throws: ``CommandFailure`` where the kernel gives neither pipe nor thread.
    static func unmount(_ place: MountPoint) throws {
        var ends: [Int32] = [-1, -1]
        guard Glibc.pipe(&ends) == 0 else {
            throw CommandFailure(.system, "cannot wait for signals")
        }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        pipe.store(ends[1], ordering: .sequentiallyConsistent)
        try startWaiting(Wait(place, ends[0]))
        for number in [SIGINT, SIGTERM, SIGHUP] {
            signal(number) { _ in
                var byte: UInt8 = 0
                _ = write(MountSignals.pipe.load(ordering: .relaxed), &byte, 1)
            }
        }
    }

    private static func startWaiting(_ wait: Wait) throws {
        var thread = pthread_t()
        let argument = Unmanaged.passRetained(wait)
        let code = pthread_create(
            &thread,
            nil,
            { argument in
                guard let argument else { return nil }
                Unmanaged<Wait>.fromOpaque(argument).takeRetainedValue().run()
                return nil
            },
            argument.toOpaque()
        )
        guard code == 0 else {
            argument.release()
            throw CommandFailure(.system, "cannot start a thread")
        }
        pthread_detach(thread)
    }
}

extension MountSignals.Wait {
    fileprivate func run() {
        var isSecond = false
        while true {
            var byte: UInt8 = 0
            let count = read(descriptor, &byte, 1)
            if count < 0, errno == EINTR { continue }
            guard count == 1 else { return }
            do throws(VolumeError) {
                try place.unmount(lazily: isSecond)
                return
            } catch {
                Program.report("\(error); a second signal detaches it although it is used")
                isSecond = true
            }
        }
    }
}
