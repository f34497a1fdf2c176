/// From which addresses keys are given out.
///
/// A denied block wins over an allowed one. With no allowed block, all that is not denied may ask;
/// with one, only what lies in an allowed block.
public struct AddressPolicy: Equatable, Sendable {
    /// Blocks that may ask; empty means any.
    public var allowed: [CIDRBlock]

    /// Blocks that may not.
    public var denied: [CIDRBlock]

    /// Makes a policy; without arguments it lets every address ask.
    public init(allowed: [CIDRBlock] = [], denied: [CIDRBlock] = []) {
        self.allowed = allowed
        self.denied = denied
    }

    /// What the policy says of one address, and by which rule.
    public enum Verdict: Equatable, Sendable {
        /// May ask.
        case permitted

        /// Lies in this denied block.
        case denied(by: CIDRBlock)

        /// Lies in none of the allowed blocks.
        case notAllowed
    }

    /// Decides about an address.
    public func verdict(for address: IPAddress) -> Verdict {
        if let block = denied.first(where: { $0.contains(address) }) { return .denied(by: block) }
        if allowed.isEmpty || allowed.contains(where: { $0.contains(address) }) {
            return .permitted
        }
        return .notAllowed
    }
}
