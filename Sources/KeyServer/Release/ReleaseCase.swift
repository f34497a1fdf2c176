/// A request whose turn it is, and what bears on it.
struct ReleaseCase {
    /// Its place among those of the transaction.
    let index: Int

    /// What is asked for.
    let request: ReleaseRequest

    /// The token that was shown, as the store knows it.
    let token: TokenRecord?

    /// What the store knows.
    var facts: ReleaseFacts
}
