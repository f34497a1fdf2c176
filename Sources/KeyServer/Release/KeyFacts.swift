/// What the store knows of a key that was asked for.
public struct KeyFacts: Equatable, Sendable {
    /// The grant by which the device may have it; `nil` where there is none.
    public var grant: GrantSubject?

    /// The generations that are given out, the newest first; not empty.
    public var generations: [GenerationRecord]

    /// Describes a key of the store.
    public init(grant: GrantSubject?, generations: [GenerationRecord]) {
        self.grant = grant
        self.generations = generations
    }

    /// The generations that a request gets: the newest, and the older ones it asks for.
    func wanted(by request: ReleaseRequest) -> [GenerationRecord] {
        generations.prefix(1)
            + generations.dropFirst().filter {
                request.generations.contains($0.key) || request.identifiers.contains($0.identifier)
            }
    }
}
