public import Linux

/// A view whose server was killed, and with it who would have unmounted it.
///
/// It answers everything with `ENOTCONN`. Found by the directory it lies over, not by the mount's number: a
/// later start may have taken it away by then, and been given the same number for its own.
public struct AbandonedView: ~Copyable {
    /// The type of the mounts that ``MountPoint`` makes.
    static let type = "fuse.secure-store"

    private let directory: MountDirectory

    /// Looks after what lies, or will lie, over a directory.
    ///
    /// - Parameter place: The directory, as ``MountPoint/descriptor`` leads to it.
    public init(over place: consuming OwnedDescriptor) {
        directory = MountDirectory(takingOver: place)
    }

    /// Where the directory is, as an absolute path; nil where that cannot be said.
    public var path: String? { try? directory.path() }

    /// Detaches the view as soon as nobody serves it.
    ///
    /// Nothing else is touched: neither a view that is served, as a later start's is, nor anything of another
    /// type.
    ///
    /// - Parameter limit: How long it may still be served: its server ends a moment after ours.
    /// - Returns: Whether there was one, and nobody else took it away.
    /// - Throws: ``Errno``, of `umount2` as a rule.
    ///
    /// The corresponding C function is `umount2` with `MNT_DETACH`.
    public borrowing func detach(within limit: Duration) throws(Errno) -> Bool {
        let deadline = ContinuousClock.now.advanced(by: limit)
        while true {
            switch try directory.detachAbandoned(ofType: Self.type) {
            case .abandoned: return true
            case .other: return false
            case .served: guard ContinuousClock.now < deadline else { return false }
            }
            Readiness.sleep(for: .milliseconds(20))
        }
    }
}
