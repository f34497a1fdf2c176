import Linux
import Testing

@Suite struct `Signal names` {
    @Test(
        arguments: [
            ("TERM", 15), ("SIGTERM", 15), ("term", 15), ("15", 15), ("HUP", 1), ("SYS", 31),
            ("RTMIN", 34), ("RTMIN+3", 37), ("RTMAX", 64), ("RTMAX-1", 63), ("64", 64),
        ] as [(String, Int32)]
    )
    func `are read with and without SIG, or as numbers`(text: String, number: Int32) {
        #expect(Signal(parsing: text)?.rawValue == number)
    }

    @Test(arguments: ["", "0", "65", "-1", "TERMX", "RTMIN+31", "RTMIN-1", "RTMAX+1", "SIG"])
    func `that name nothing are refused`(text: String) {
        #expect(Signal(parsing: text) == nil)
    }

    @Test func `are written as a person knows them`() throws {
        #expect("\(Signal.terminate)" == "SIGTERM")
        #expect("\(try #require(Signal(rawValue: 34)))" == "SIGRTMIN")
        #expect("\(try #require(Signal(rawValue: 40)))" == "SIGRTMIN+6")
        #expect("\(try #require(Signal(rawValue: 32)))" == "signal 32")
    }

    @Test func `of every number come back to it`() throws {
        for number in Int32(1)...64 where number != 32 && number != 33 {
            let signal = try #require(Signal(rawValue: number))
            #expect(Signal(parsing: "\(signal)") == signal)
        }
    }

    @Test func `in a set are the kernel's bits`() {
        let set = SignalSet([.hangup, .child])
        #expect(set.rawValue == 0x10001)
        #expect(set.contains(Signal.hangup) && !set.contains(Signal.terminate))
    }
}
