/// Keys, sealed, and who may have them.
public protocol KeyStorage {
    /// The seal around the master key; `nil` in a store that has held no key yet.
    func seal() throws(KeyServerError) -> Seal?

    /// Puts a seal in place of another.
    func setSeal(_ seal: Seal) throws(KeyServerError)

    /// The names of all keys, sorted.
    func keyNames() throws(KeyServerError) -> [String]

    /// A key's generations, the latest first; empty where there is no such key.
    func generations(ofKey name: String) throws(KeyServerError) -> [GenerationRecord]

    /// Adds a generation, and with the first one the key.
    func insert(_ generation: GenerationRecord) throws(KeyServerError)

    /// Replaces what is known of a generation, all but the key itself.
    func update(_ generation: GenerationRecord) throws(KeyServerError)

    /// Notes which generations of a key a device was given, in place of those it was given before.
    func noteHolding(
        _ generations: [GenerationRecord],
        ofKey name: String,
        device: Int,
        at time: Timestamp
    ) throws(KeyServerError)

    /// Which devices were given a generation of a key when they were last given the key, by name.
    ///
    /// - Parameters:
    ///   - name: The key.
    ///   - number: The generation.
    ///   - limit: At most so many.
    /// - Returns: Those there are.
    /// - Throws: ``KeyServerError/storage(reason:)``.
    func holders(
        ofKey name: String,
        generation number: Int,
        limit: Int
    ) throws(KeyServerError) -> [GenerationHolder]

    /// Forgets a key, all its generations and grants.
    func removeKey(_ name: String) throws(KeyServerError)

    /// Whom a key is granted to.
    func grants(ofKey name: String) throws(KeyServerError) -> [GrantSubject]

    /// Grants a key; a grant that exists stays.
    ///
    /// - Returns: Whether it is new.
    func insertGrant(
        ofKey name: String,
        to subject: GrantSubject,
        at time: Timestamp
    ) throws(KeyServerError) -> Bool

    /// Takes a grant back.
    ///
    /// - Returns: Whether there was one.
    func removeGrant(
        ofKey name: String,
        to subject: GrantSubject
    ) throws(KeyServerError) -> Bool

    /// Has the grants of a device follow it to another name, or with no name end.
    func moveGrants(ofDevice name: String, to newName: String?) throws(KeyServerError)
}
