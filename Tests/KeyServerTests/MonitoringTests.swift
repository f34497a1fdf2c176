import Glibc
import HTTPTypes
import Logging
import NIOCore
import Synchronization
import TestSupport
import Testing

@testable import KeyServer

@Suite struct `What is counted` {
    @Test func `is counted exactly by many threads, each label by itself`() async {
        let family = CounterFamily("result", "code")
        await withDiscardingTaskGroup { group in
            for task in 0..<8 {
                group.addTask {
                    for number in 0..<5000 { family.add("r", "\((number + task) % 5)") }
                }
            }
        }
        let counts = family.counts.sorted { $0.values[1] < $1.values[1] }
        #expect(counts.map(\.values) == (0..<5).map { ["r", "\($0)"] })
        #expect(counts.map(\.count) == [8000, 8000, 8000, 8000, 8000])
    }

    @Test func `of times is in the class that it ends`() {
        let histogram = LatencyHistogram()
        for nanoseconds in [0, 500_000, 500_001, 10_000_000_000, 10_000_000_001] as [Int64] {
            histogram.observe(nanoseconds: nanoseconds)
        }
        let classes = Dictionary(uniqueKeysWithValues: histogram.cumulative.map { ($0.0, $0.1) })
        #expect(classes["0.0005"] == 2)
        #expect(classes["0.001"] == 3)
        #expect(classes["10"] == 4)
        #expect(classes["+Inf"] == 5)
        #expect(histogram.cumulative.map(\.count) == histogram.cumulative.map(\.count).sorted())
        #expect(abs(histogram.seconds - 20.001000002) < 1e-6)
    }

    @Test func `is written so that no label can forge a line`() {
        let family = CounterFamily("a")
        family.add("x\"\n\\} 1")
        var page = MetricsText()
        page.add("n_total", .counter, "Help.", family)
        #expect(
            page.text == """
                # HELP n_total Help.
                # TYPE n_total counter
                n_total{a="x\\"\\n\\\\} 1"} 1

                """
        )
    }
}

@Suite struct `A request's id` {
    @Test(arguments: [
        ("a", true), ("0d2a3b0e-7c4f.x_Y:1", true), (String(repeating: "a", count: 64), true),
        ("", false), (String(repeating: "a", count: 65), false), ("a b", false), ("a\"b", false),
        ("ä", false), ("a\tb", false), ("a,b", false), ("<script>", false),
    ])
    func `is the client's where it is short and plain`(given: String, kept: Bool) {
        #expect(RequestIdentifier.of([.requestID: given]) == given || !kept)
        #expect(RequestIdentifier.isPlain(given) == kept)
    }

    @Test func `is made where there is none, and each time another`() {
        let ids = (0..<100).map { _ in RequestIdentifier.of([:]) }
        #expect(Set(ids).count == 100)
        #expect(ids.allSatisfy { $0.count == 16 && RequestIdentifier.isPlain($0) })
    }
}

@Suite struct `Monitoring's look at the store` {
    /// A store that fails, or hangs until it is let go.
    private final class BrokenStorage: Storage {
        let looks = Counter()
        let isHanging: Bool
        let release = Atomic(false)

        init(hanging: Bool) { isHanging = hanging }

        func transaction<Result: Sendable>(
            _ access: StorageAccess,
            _ body: (any StorageTransaction) throws(KeyServerError) -> Result
        ) throws(KeyServerError) -> Result {
            looks.add()
            while isHanging, !release.load(ordering: .acquiring) { usleep(1000) }
            throw .storage(reason: "gone")
        }
    }

    @Test func `counts what fails, and says so`() async {
        let metrics = ServerMetrics()
        let probe = StoreProbe(BrokenStorage(hanging: false), metrics: metrics) { true }
        await #expect(throws: KeyServerError.storage(reason: "gone")) { try await probe.look() }
        #expect(metrics.storageErrors.value == 1)
    }

    @Test func `waits for no store that hangs, and looks once however many ask`() async {
        let storage = BrokenStorage(hanging: true)
        defer { storage.release.store(true, ordering: .releasing) }
        let probe = StoreProbe(
            storage,
            metrics: ServerMetrics(),
            patience: .milliseconds(200)
        ) { true }
        await withDiscardingTaskGroup { group in
            for _ in 0..<20 {
                group.addTask {
                    await #expect(
                        throws: KeyServerError.storage(reason: "it does not answer in time")
                    ) {
                        try await probe.look()
                    }
                }
            }
        }
        // On a loaded machine a thread for the first look may be longer in coming than patience is.
        #expect(waitUntil(timeout: 60) { storage.looks.value > 0 })
        #expect(storage.looks.value == 1)
    }
}

@Suite struct `The address for monitoring` {
    @Test(arguments: [
        ("127.0.0.1:8444", true), ("127.9.9.9:1", true), ("[::1]:8444", true),
        ("0.0.0.0:8444", false), ("[::]:8444", false), ("192.0.2.1:8444", false),
    ])
    func `is this machine's own or not`(text: String, isLoopback: Bool) throws {
        #expect(try ListenAddress(parsing: text).isLoopback == isLoopback)
    }

    @Test(
        arguments: [
            (nil, true), ("127.0.0.1:8444", true), ("localhost", true), ("LOCALHOST:1", true),
            ("[::1]:8444", true), ("192.0.2.1", true), ("evil.example", false),
            ("127.0.0.1.evil.example:8444", false), ("localhost.evil.example", false),
            ("[::1", false), ("", false), ("[evil]:1", false),
        ] as [(String?, Bool)]
    )
    func `answers to no name that a web page can have`(host: String?, isLocal: Bool) {
        #expect(AdminResponder.isLocal(host) == isLocal)
    }
}

@Suite struct `Admission of connections` {
    private func admission(connections: Int, handshakes: Int) -> Admission {
        var limits = ServerLimits()
        limits.connections = connections
        limits.handshakes = handshakes
        return Admission(limits: limits, logger: Logger(label: "test"))
    }

    @Test func `ends at the limit of connections, and the listener is woken once there is room`() {
        let admission = admission(connections: 2, handshakes: 9)
        let woken = Counter()
        admission.setListener { woken.add() }
        for _ in 0..<2 {
            #expect(admission.mayAccept())
            admission.connectionOpened()
        }
        #expect(!admission.mayAccept())
        admission.connectionClosed()
        admission.connectionClosed()
        #expect(woken.value == 1)
        #expect(admission.mayAccept())
    }

    @Test func `ends at the limit of handshakes, which count from their first byte`() {
        let admission = admission(connections: 9, handshakes: 1)
        let woken = Counter()
        admission.setListener { woken.add() }
        let turns = (0..<3).map { _ in
            HandshakeTurn(admission: admission, metrics: ServerMetrics())
        }
        #expect(admission.mayAccept(), "two that say nothing")
        turns[0].begin()
        turns[0].begin()
        #expect(admission.handshakeCount == 1)
        #expect(!admission.mayAccept())
        turns[1].end("closed")
        #expect(woken.value == 0, "one that never began makes no room")
        turns[0].end(nil)
        turns[0].end("closed")
        #expect(woken.value == 1)
        #expect(admission.handshakeCount == 0)
        #expect(admission.mayAccept())
    }
}
