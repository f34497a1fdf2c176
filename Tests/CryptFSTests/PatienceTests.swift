import Testing

@testable import CryptFS

/// When threads look out for the next request.
struct PatienceTests {
    @Test func `where requests keep coming every occasion is taken`() {
        var patience = Patience()
        for _ in 0..<100 {
            let isLeft = patience.isLeft()
            #expect(isLeft)
            patience.note(found: true)
        }
    }

    @Test func `a single pause changes nothing`() {
        var patience = Patience()
        for round in 0..<100 {
            let isLeft = patience.isLeft()
            #expect(isLeft)
            patience.note(found: round % 2 == 0)
        }
    }

    @Test func `looking out in vain ends up at one occasion in 64`() {
        var patience = Patience()
        var taken: [Int] = []
        for occasion in 0..<1000 where patience.isLeft() {
            taken.append(occasion)
            patience.note(found: false)
        }
        let gaps = zip(taken.dropFirst(), taken).map { $0 - $1 }
        #expect(gaps.prefix(8) == [1, 2, 4, 8, 16, 32, 64, 64])
        #expect(gaps.dropFirst(6).allSatisfy { $0 == 64 })
    }

    @Test func `one that came brings all occasions back`() {
        var patience = Patience()
        for _ in 0..<1000 where patience.isLeft() { patience.note(found: false) }
        while !patience.isLeft() {}
        patience.note(found: true)
        for _ in 0..<2 {
            let isLeft = patience.isLeft()
            #expect(isLeft)
            patience.note(found: false)
        }
    }
}
