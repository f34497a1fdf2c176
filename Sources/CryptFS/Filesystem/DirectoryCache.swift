internal import Linux
internal import Synchronization

/// Directories held open, a bounded number, so that a name costs one system call and not a walk.
final class DirectoryCache<Format: StorageFormat>: @unchecked Sendable {
    // Unchecked: the nodes' `directory` and the queue are under the lock.

    private struct State {
        /// Nodes with an open directory, oldest first; circular once full.
        var held: [Node<Format>] = []
        var next = 0
    }

    private let state = Mutex(State())
    private let limit: Int

    /// - Parameter limit: How many directories are held open, at least one.
    init(limit: Int) {
        self.limit = max(limit, 1)
    }

    /// The open directory of a node, if it is held.
    func directory(of node: Node<Format>) -> Format.Directory? {
        state.withLock { _ in node.directory }
    }

    /// Holds a directory open, in place of the one held longest.
    ///
    /// Who uses that one at present has a reference of its own.
    func hold(_ directory: Format.Directory, of node: Node<Format>) {
        state.withLock { state in
            guard node.directory == nil else { return }
            node.directory = directory
            guard state.held.count == limit else {
                state.held.append(node)
                return
            }
            let former = state.held[state.next]
            if former !== node { former.directory = nil }
            state.held[state.next] = node
            state.next = (state.next + 1) % limit
        }
    }

    /// A directory that was removed; it stays usable to who has it.
    func drop(_ node: Node<Format>) {
        state.withLock { _ in node.directory = nil }
    }
}
