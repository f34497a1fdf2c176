import AccessRules
import Testing

@testable import KeyServer

@Suite struct `An attempt limiter` {
    private final class Clock: Sendable {
        // Each test has one, and uses it on one thread.
        nonisolated(unsafe) var now = ContinuousClock.now
    }

    private let clock = Clock()

    private func limiter(all: Int = 1000) -> AttemptLimiter {
        AttemptLimiter(
            ofAddress: .init(burst: 3, interval: .seconds(10)),
            ofAll: .init(burst: all, interval: .seconds(1)),
            now: { [clock] in clock.now }
        )
    }

    @Test func `lets an address fail so often, and then as often as it forgets`() {
        let limiter = limiter()
        let (here, there) = (IPAddress("192.0.2.1"), IPAddress("192.0.2.2"))
        for _ in 0..<3 { #expect(limiter.admit(here) == nil) }
        #expect(limiter.admit(here) == 10)
        #expect(limiter.admit(there) == nil)
        clock.now += .seconds(4)
        #expect(limiter.admit(here) == 6)
        clock.now += .seconds(6)
        #expect(limiter.admit(here) == nil)
        #expect(limiter.admit(here) == 10)
    }

    @Test func `does not count what succeeded`() {
        let limiter = limiter()
        let here = IPAddress("192.0.2.1")
        for _ in 0..<100 {
            #expect(limiter.admit(here) == nil)
            limiter.refund(here)
        }
    }

    @Test func `takes a network of IPv6 for one`() {
        let limiter = limiter()
        for number in 0..<3 { #expect(limiter.admit(IPAddress("2001:db8::\(number)")) == nil) }
        #expect(limiter.admit(IPAddress("2001:db8::ffff")) == 10)
        #expect(limiter.admit(IPAddress("2001:db8:0:1::1")) == nil)
    }

    @Test func `holds all together down, who nobody knows included`() {
        let limiter = limiter(all: 5)
        for number in 1...5 { #expect(limiter.admit(IPAddress("192.0.2.\(number)")) == nil) }
        #expect(limiter.admit(IPAddress("192.0.2.6")) == 1)
        #expect(limiter.admit(nil) == 1)
        clock.now += .seconds(1)
        #expect(limiter.admit(nil) == nil)
    }

    @Test func `remembers no more than it has room for`() {
        let limiter = limiter(all: 100_000)
        for number in 0..<AttemptLimiter.maximumAddresses {
            #expect(limiter.admit(IPAddress("10.\(number >> 8 & 255).\(number & 255).1")) == nil)
        }
        #expect(limiter.admit(IPAddress("192.0.2.1")) == 10)
        clock.now += .seconds(11)
        #expect(limiter.admit(IPAddress("192.0.2.1")) == nil)
    }
}
