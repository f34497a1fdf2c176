internal import Linux
internal import Synchronization

/// All nodes the kernel knows, and which stored file each is.
final class NodeTable<Format: StorageFormat>: @unchecked Sendable {
    // Unchecked: everything that changes is under `state`'s lock.

    typealias FileNode = Node<Format>

    /// The number the kernel has for the root.
    static var rootID: UInt64 { 1 }

    let root: FileNode

    private struct State {
        var nodes: [FileIdentity: FileNode] = [:]
        var numbers: Set<UInt64> = []
        var lastSyntheticNumber: UInt64 = 1 << 63

        /// Nodes that the kernel knows and no name leads to.
        var orphans: [ObjectIdentifier: FileNode] = [:]
    }

    private let state = Mutex(State())

    init(root identity: FileIdentity) {
        root = FileNode(number: identity.number, kind: .directory, identity: identity, place: nil)
        root.lookupCount = 1
        state.withLock { state in
            state.nodes[identity] = root
            state.numbers.insert(identity.number)
        }
    }

    /// The node the kernel means by a number, which it got from ``id(of:)`` and has not forgotten.
    func node(_ id: UInt64) -> FileNode {
        guard id != Self.rootID, let address = UnsafeRawPointer(bitPattern: UInt(id)) else {
            return root
        }
        return Unmanaged<FileNode>.fromOpaque(address).takeUnretainedValue()
    }

    /// What the kernel calls a node.
    func id(of node: FileNode) -> UInt64 {
        if node === root { return Self.rootID }
        return UInt64(UInt(bitPattern: Unmanaged.passUnretained(node).toOpaque()))
    }

    /// The node of an entry, a new one if need be, counted as looked up once more.
    func intern(_ entry: StoredEntry, in parent: FileNode) -> FileNode {
        let place = FileNode.Place(parent: parent, name: entry.name)
        let identity = entry.status.identity
        return state.withLock { state in
            if let node = state.nodes[identity], node.kind == entry.kind {
                // The name by which it was found last is the one that is surely right.
                if node !== root {
                    Self.add(place, to: node, isOneOfSeveral: entry.status.linkCount > 1)
                }
                node.lookupCount += 1
                return node
            }
            // Numbers are the stored files' where possible. A file that was rewritten keeps its
            // number while it lives, although another stored file may have taken it since.
            var number = identity.number
            if number == 0 || number >= 1 << 63 || state.numbers.contains(number) {
                state.lastSyntheticNumber += 1
                number = state.lastSyntheticNumber
            }
            let node = FileNode(
                number: number,
                kind: entry.kind,
                identity: identity,
                place: place
            )
            node.lookupCount = 1
            if let former = state.nodes.updateValue(node, forKey: identity) {
                state.orphans[ObjectIdentifier(former)] = former
            }
            state.numbers.insert(number)
            return node
        }
    }

    /// The node of a stored file, if the kernel knows it; not counted.
    func find(_ identity: FileIdentity) -> FileNode? {
        state.withLock { $0.nodes[identity] }
    }

    /// Where a node is found at present.
    func place(of node: FileNode) -> FileNode.Place? {
        state.withLock { _ in node.place }
    }

    /// The kernel forgets `count` lookups; the node goes when none is left, unless it still has
    /// something to store.
    func forget(_ node: FileNode, count: UInt64) {
        // Taken before the lock: a content's state must not be waited for under the table's.
        let isKept = place(of: node) != nil && node.content?.isDirty == true
        let isGone = state.withLock { state in
            node.lookupCount -= min(count, node.lookupCount)
            guard node.lookupCount == 0, node !== root, !isKept else { return false }
            if state.nodes[node.identity] === node {
                state.nodes[node.identity] = nil
            } else {
                state.orphans[ObjectIdentifier(node)] = nil
            }
            state.numbers.remove(node.number)
            return true
        }
        // Others may hold on to the node for a while; not to its descriptors. Who is about to be done with its content
        // has a reference of its own.
        guard isGone else { return }
        node.content = nil
        // Closing a removed file frees its content, which takes: not with everybody waiting.
        let orphan = state.withLock { _ in
            let orphan = node.orphan
            node.orphan = nil
            return orphan
        }
        withExtendedLifetime(orphan) {}
    }

    /// What keeps the stored file of a node without a name.
    func orphan(of node: FileNode) -> HeldFile? {
        state.withLock { _ in node.orphan }
    }

    /// A node got another name in place of one.
    func move(_ node: FileNode, from former: FileNode.Place, to place: FileNode.Place) {
        state.withLock { _ in
            Self.remove(former, from: node)
            Self.add(place, to: node, isOneOfSeveral: node.place != nil)
        }
    }

    /// A node lost one of several names.
    ///
    /// - Returns: Whether another name is known.
    func remove(_ place: FileNode.Place, from node: FileNode) -> Bool {
        state.withLock { _ in
            Self.remove(place, from: node)
            return node.place != nil
        }
    }

    /// A node that has names none of which is known.
    func hold(_ node: FileNode, by file: HeldFile) {
        state.withLock { _ in
            if node.place == nil { node.orphan = file }
        }
    }

    private static func add(
        _ place: FileNode.Place,
        to node: FileNode,
        isOneOfSeveral: Bool
    ) {
        if let former = node.place, former != place, isOneOfSeveral {
            node.otherPlaces.removeAll { $0 == place }
            node.otherPlaces.append(former)
        }
        node.place = place
        node.orphan = nil
    }

    private static func remove(_ place: FileNode.Place, from node: FileNode) {
        node.otherPlaces.removeAll { $0 == place }
        if node.place == place { node.place = node.otherPlaces.popLast() }
    }

    /// A node's content was rewritten into another stored file.
    func replace(_ node: FileNode, by identity: FileIdentity) {
        state.withLock { state in
            if state.nodes[node.identity] === node { state.nodes[node.identity] = nil }
            state.nodes[identity] = node
            node.identity = identity
        }
    }

    /// A node's last name was removed.
    func orphan(_ node: FileNode, keeping file: HeldFile) {
        state.withLock { state in
            node.place = nil
            node.otherPlaces = []
            node.orphan = file
            if state.nodes[node.identity] === node { state.nodes[node.identity] = nil }
            state.orphans[ObjectIdentifier(node)] = node
        }
    }

    /// Every node there is.
    var all: [FileNode] {
        state.withLock { Array($0.nodes.values) + Array($0.orphans.values) }
    }
}
