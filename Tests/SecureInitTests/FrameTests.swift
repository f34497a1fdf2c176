import Cryptography
import Foundation
import Linux
import Testing

@testable import SecureInit

@Suite struct `Frames` {
    private func feed(
        _ bytes: [UInt8],
        closing: Bool = true,
        limit: Int = 64
    ) throws -> (frames: [(Frame.Kind, [UInt8])], condition: FrameReader.Condition) {
        let (readEnd, writeEnd) = try Linux.Pipe().ends()
        let input = OwnedDescriptor(takingOwnershipOf: readEnd)
        try input.setNonblocking()
        #expect(write(writeEnd, bytes, bytes.count) == bytes.count)
        if closing { close(writeEnd) }
        var reader = FrameReader(input, maximumPayloadCount: limit)
        var frames: [(Frame.Kind, [UInt8])] = []
        let condition = reader.drain { frames.append(($0, Array($1))) }
        if !closing { close(writeEnd) }
        return (frames, condition)
    }

    @Test func `come one after the other`() throws {
        let (frames, condition) = try feed([4, 0, 0, 0, 0, 1, 0, 0, 0, 2, 65, 66])
        #expect(frames.map(\.0) == [.opened, .cause])
        #expect(frames.map(\.1) == [[], [65, 66]])
        #expect(condition == .closed)
    }

    @Test func `cut off anywhere are malformed`() throws {
        let whole: [UInt8] = [1, 0, 0, 0, 2, 65, 66]
        for count in 1..<whole.count {
            let (frames, condition) = try feed(Array(whole.prefix(count)))
            #expect(frames.isEmpty)
            #expect(condition == .malformed)
        }
    }

    @Test func `that are not all there yet are waited for`() throws {
        let (frames, condition) = try feed([1, 0, 0, 0, 2, 65], closing: false)
        #expect(frames.isEmpty)
        #expect(condition == .open)
    }

    @Test(arguments: [63, 64, 65])
    func `are as long as there is reason to expect`(count: Int) throws {
        let bytes = [1, 0, 0, 0, UInt8(count)] + [UInt8](repeating: 65, count: count)
        let (frames, condition) = try feed(bytes)
        #expect(frames.count == (count <= 64 ? 1 : 0))
        #expect(condition == (count <= 64 ? .closed : .malformed))
    }

    @Test func `of enormous length, or of no known kind, are malformed`() throws {
        #expect(try feed([1, 255, 255, 255, 255, 0]).condition == .malformed)
        #expect(try feed([99, 0, 0, 0, 0]).condition == .malformed)
        #expect(try feed([0, 0, 0, 0, 0]).condition == .malformed)
    }

    @Test func `of one that never stops are taken in portions`() throws {
        let frame: [UInt8] = [4, 0, 0, 0, 0]
        let (frames, condition) = try feed(Array([[UInt8]](repeating: frame, count: 100).joined()))
        #expect(frames.count == 32)
        #expect(condition == .open)
    }
}

@Suite struct `Lengths of time` {
    @Test(
        arguments: [
            ("0", 0), ("5", 5000), ("500ms", 500), ("30s", 30_000), ("5m", 300_000),
            ("1h30m", 5_400_000), ("2d", 172_800_000), ("1m500ms", 60_500),
        ] as [(String, Int64)]
    )
    func `are read`(text: String, milliseconds: Int64) {
        #expect(TextDuration.milliseconds(parsing: text) == milliseconds)
    }

    @Test(arguments: ["", "-1", "s", "5x", "5 s", "1.5s", "9223372036854775807", "5m3"])
    func `that are none are refused`(text: String) {
        #expect(TextDuration.milliseconds(parsing: text) == nil)
    }
}

@Suite struct `A mistyped name` {
    @Test func `gets the nearest one when it is close`() {
        let names = ["env-only", "storage", "mount"]
        #expect(Spelling.nearest(to: "env-onyl", among: names) == "env-only")
        #expect(Spelling.nearest(to: "storge", among: names) == "storage")
        #expect(Spelling.nearest(to: "frobnicate", among: names) == nil)
    }
}
