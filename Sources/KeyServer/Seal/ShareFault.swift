/// Why a share is of no use.
public enum ShareFault: Error, Equatable, Sendable {
    /// It is no share at all.
    case form

    /// What was typed is not what was printed.
    case checksum

    /// It is of a set that another has taken the place of.
    case old(set: String, since: Timestamp)

    /// It is of a set that this store has never had.
    case foreign(set: String)

    /// It says other things of its set than the store does.
    case altered

    /// It has been given already.
    case duplicate(index: Int)

    /// The store is not sealed by shares.
    case noShares

    /// There are not enough.
    case tooFew(have: Int, need: Int)
}

extension ShareFault: CustomStringConvertible {
    /// One line for a person.
    public var description: String {
        switch self {
        case .form: "this is no share; one begins with \(UnsealShare.prefix)-"
        case .checksum: "this share was mistyped, or not copied whole: its checksum is wrong"
        case .old(let set, let time):
            "this share is of set \(set), which was replaced on \(time.date)"
        case .foreign(let set): "this share is of another store: of set \(set)"
        case .altered: "this share does not say of its set what the store does"
        case .duplicate(let index): "share \(index) has been given already"
        case .noShares: "the store is sealed under a root key, not by shares"
        case .tooFew(let have, let need): "\(have) of the \(need) shares that open the store"
        }
    }
}
