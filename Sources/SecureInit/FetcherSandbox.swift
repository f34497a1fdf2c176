internal import Linux

/// What the fetcher gives up before it reads the first byte from the network.
///
/// It may talk to servers and read what the resolver reads; it may not execute, open other files,
/// look at other processes, or listen.
enum FetcherSandbox {
    /// Where the resolver's files are. Folders, not files: a network manager replaces the files.
    static let readablePaths = [
        "/etc", "/run/systemd/resolve", "/run/resolvconf", "/run/NetworkManager", "/run/connman",
    ]

    static let systemCalls: [SystemCallFilter.Group] = [
        .runtime, .descriptors, .readingFiles, .connecting,
    ]

    /// Binds this process, for good.
    ///
    /// - Returns: What the kernel could not be had for, a sentence each; the rest holds all the same.
    static func enter() -> [String] {
        var lacking: [String] = []
        do throws(Errno) {
            let restriction = try FileAccessRestriction()
            for path in readablePaths {
                try restriction.allow(path, .read)
            }
            try restriction.enforce()
        } catch {
            lacking.append("the fetcher's files are not restricted: Landlock: \(error)")
        }
        do throws(Errno) {
            try SystemCallFilter(allowing: systemCalls).enforce()
        } catch {
            lacking.append("the fetcher's system calls are not restricted: seccomp: \(error)")
        }
        return lacking
    }
}
