internal import AccessRules

/// Rules of a policy, as the store holds them and as they are typed.
func fuzzRules(_ input: UnsafeRawBufferPointer) {
    let text = String(decoding: input, as: UTF8.self)
    if let block = try? CIDRBlock(parsing: text) {
        invariant((try? CIDRBlock(parsing: "\(block)")) == block, "a block is read as written")
        invariant(block.contains(block.network), "a block holds its first address")
    }
    guard let rules = try? RuleSet(parsing: text) else { return }
    invariant((try? RuleSet(parsing: rules.text)) == rules, "rules are read as written")
    guard let address = IPAddress("192.0.2.1") else { return }
    // Whatever the rules and the clock say, evaluation ends and the wait is one that ends.
    for now in [-1, 0, 1_795_392_000_000, 253_402_300_799_999] {
        var circumstances = RuleSet.Circumstances(
            now: now,
            address: address,
            unseen: now,
            usage: RuleUsage()
        )
        circumstances.usage = rules.usage(after: circumstances.usage, releaseAt: now)
        _ = rules.lastingViolation(circumstances)
        if let broken = rules.passingViolation(circumstances) {
            invariant((broken.retryAfter ?? 0) > 0, "what passes takes a while")
        }
    }
}

/// What a proxy says of a connection, whole and in pieces.
func fuzzProxyHeader(_ input: UnsafeRawBufferPointer) {
    guard let header = try? ProxyHeader(parsing: input) else { return }
    invariant((1...ProxyHeader.maximumCount).contains(header.count), "no longer than the limit")
    invariant(header.count <= input.count, "a header is among what came")
    for count in 0..<header.count {
        let part = UnsafeRawBufferPointer(rebasing: input[..<count])
        do {
            invariant(try ProxyHeader(parsing: part) == nil, "a part is no whole header")
        } catch {
            invariant(false, "a part of a header is never malformed")
        }
    }
}
