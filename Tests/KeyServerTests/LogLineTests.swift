import Testing

@testable import KeyServer

@Suite struct `A line of the log` {
    private func line(_ fields: [(String, String)]) -> LogLine {
        LogLine(time: Timestamp(seconds: 0), level: "info", message: "Key released", fields: fields)
    }

    @Test func `sorts its fields`() {
        #expect(
            line([("b", "2"), ("a", "1")]).text
                == "1970-01-01T00:00:00.000Z info Key released a=1 b=2"
        )
        #expect(
            line([("b", "2"), ("a", "1")]).json
                == #"{"time":"1970-01-01T00:00:00.000Z","level":"info","#
                + #""message":"Key released","a":"1","b":"2"}"#
        )
    }

    @Test(arguments: [
        ("two words", #""two words""#), ("", #""""#), ("x\ny", #""x\u000ay""#),
        ("a=b", #""a=b""#), (#"q"q"#, #""q\"q""#), (#"b\b"#, #""b\\b""#),
        ("\u{1b}[31m", #""\u001b[31m""#), ("é", #""é""#), ("\u{7f}", #""\u007f""#),
        ("plain-1.2_3/x", "plain-1.2_3/x"),
    ])
    func `lets no value out of its field`(value: String, written: String) {
        #expect(line([("device", value)]).text.hasSuffix(" Key released device=\(written)"))
    }

    @Test func `stays one line whatever it is given`() {
        let hostile = String(String.UnicodeScalarView((0..<256).compactMap { Unicode.Scalar($0) }))
        for text in [line([("device", hostile)]).text, line([("device", hostile)]).json] {
            #expect(!text.utf8.contains { $0 < 0x20 || $0 == 0x7f })
        }
    }
}
