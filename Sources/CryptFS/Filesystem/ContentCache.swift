internal import Synchronization

/// Contents kept open although nobody says that they are in use: a bounded number, where the kernel
/// does not tell of opening and closing.
final class ContentCache<Format: StorageFormat>: Sendable {
    private struct State {
        /// Nodes with a content, oldest first; circular once full.
        var held: [Node<Format>] = []
        var next = 0
    }

    private let state = Mutex(State())
    private let limit: Int

    /// - Parameter limit: How many contents are kept open, more than there are threads.
    init(limit: Int) {
        self.limit = max(limit, 64)
    }

    /// Holds a node's new content, in place of the one held longest that nobody is using.
    func hold(_ node: Node<Format>) {
        state.withLock { state in
            guard state.held.count == limit else {
                state.held.append(node)
                return
            }
            // Fewer are in use than there are threads, so this ends.
            for _ in 0..<limit {
                let index = state.next
                state.next = (index + 1) % limit
                guard state.held[index].dropIdleContent() else { continue }
                state.held[index] = node
                return
            }
            state.held.append(node)
        }
    }
}
