internal import Linux

/// What a helper gives up before it reads the first byte that is not ours.
struct Sandbox {
    /// Whose, for the log.
    let process: String

    /// Whether the folders are all it may use; who is bound to folders may not unmount.
    var isBoundToFolders = true

    /// Below which folders it may read.
    let readable: [String]

    /// Below which folders, and in which files, it may do everything but execute.
    let changeable: [String]

    /// The system calls it may still make.
    let systemCalls: [SystemCallFilter.Group]

    /// For the process that speaks to the network: the resolver's files, and sockets that connect.
    static let fetcher = Sandbox(
        process: "fetcher",
        // Folders, not files: a network manager replaces the files.
        readable: [
            "/etc", "/run/systemd/resolve", "/run/resolvconf", "/run/NetworkManager",
            "/run/connman",
        ],
        changeable: [],
        systemCalls: [.runtime, .descriptors, .readingFiles, .connecting]
    )

    /// For the process that serves a volume: the storage and the device, no sockets.
    ///
    /// Each of its threads opens the device once more.
    static let worker = Sandbox(
        process: "volume process",
        readable: ["/sys/devices/system/cpu"],
        changeable: ["/dev/fuse", "/dev/null"],
        systemCalls: [.runtime, .descriptors, .readingFiles, .changingFiles]
    )

    /// For the process that detaches a mount when nobody else can any more.
    static let guardian = Sandbox(
        process: "guardian",
        isBoundToFolders: false,
        readable: [],
        changeable: [],
        systemCalls: [.runtime, .unmounting]
    )

    /// Binds this process, for good; to be called before it has a second thread.
    ///
    /// - Parameter directories: Open ones in which it may also do everything but execute: what their
    ///   paths lead to may have been exchanged since.
    /// - Returns: What this kernel does not have, a sentence each; the rest holds all the same.
    func enter(changing directories: [Int32] = []) -> [String] {
        var lacking: [String] = []
        do throws(Errno) {
            if isBoundToFolders { try bindToFolders(and: directories) }
        } catch {
            lacking.append("the \(process) is not kept from other files: Landlock: \(error)")
        }
        do throws(Errno) {
            try SystemCallFilter(allowing: systemCalls).enforce()
        } catch {
            lacking.append("the \(process) is not kept from other calls: seccomp: \(error)")
        }
        return lacking
    }

    private func bindToFolders(and directories: [Int32]) throws(Errno) {
        let restriction = try FileAccessRestriction()
        for path in readable { try restriction.allow(path, .read) }
        for path in changeable { try restriction.allow(path, .readAndChange) }
        for directory in directories { try restriction.allow(directory, .readAndChange) }
        try restriction.enforce()
    }
}
