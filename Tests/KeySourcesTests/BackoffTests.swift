import Testing

@testable import KeySources

@Suite struct `Waiting between attempts` {
    @Test func `grows from one second to thirty, with full jitter`() {
        var longest = [Duration](repeating: .zero, count: 8)
        var shortest = [Duration](repeating: .seconds(99), count: 8)
        for _ in 0..<400 {
            var backoff = Backoff()
            for step in longest.indices {
                let wait = backoff.next()
                longest[step] = max(longest[step], wait)
                shortest[step] = min(shortest[step], wait)
            }
        }
        for (step, bound) in [1, 2, 4, 8, 16, 30, 30, 30].enumerated() {
            #expect(longest[step] <= .seconds(bound))
            // Of 400 draws, one is in the upper tenth but for a chance in 10^18.
            #expect(longest[step] > .seconds(bound) * 0.9)
            #expect(shortest[step] < .seconds(bound) * 0.2)
            #expect(shortest[step] >= Backoff.shortest)
        }
    }

    @Test func `a server's wish is never undercut`() {
        for _ in 0..<100 {
            #expect((.seconds(5)...Duration.seconds(6)).contains(Backoff.atLeast(5)))
        }
    }
}
