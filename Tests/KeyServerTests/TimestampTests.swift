import KeyServer
import Testing

@Suite struct `A timestamp` {
    @Test(arguments: [
        (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT", "1994-11-06T08:49:37.000Z"),
        (0, "Thu, 01 Jan 1970 00:00:00 GMT", "1970-01-01T00:00:00.000Z"),
        (1_709_164_800, "Thu, 29 Feb 2024 00:00:00 GMT", "2024-02-29T00:00:00.000Z"),
        (4_102_444_799, "Thu, 31 Dec 2099 23:59:59 GMT", "2099-12-31T23:59:59.000Z"),
    ])
    func `is written as HTTP and as logs want it`(seconds: Int, http: String, log: String) {
        let time = Timestamp(seconds: seconds)
        #expect(time.httpDate == http)
        #expect("\(time)" == log)
        #expect(Timestamp(httpDate: http) == time)
    }

    @Test func `shows milliseconds in three digits`() {
        #expect("\(Timestamp(seconds: 0, nanoseconds: 7_999_999))".hasSuffix(".007Z"))
    }

    @Test func `is read as a day or to the second`() {
        #expect(Timestamp(date: "2024-02-29")?.seconds == 1_709_164_800)
        #expect(Timestamp(date: "1994-11-06T09:49:37+01:00")?.seconds == 784_111_777)
        #expect(Timestamp(date: "1994-11-06T08:49:37.123Z")?.seconds == 784_111_777)
    }

    @Test(arguments: [
        "", "2024", "2023-02-29", "2024-13-01", "2024-02-29T24:00:00Z", "2024-02-29T10:00:00",
        "2024-02-29 ", "29-02-2024", "2024-02-29T",
    ])
    func `is no day`(text: String) {
        #expect(Timestamp(date: text) == nil)
    }

    @Test(arguments: ["", "now", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun, 06 Foo 1994 08:49:37 GMT"])
    func `is not guessed`(text: String) {
        #expect(Timestamp(httpDate: text) == nil)
    }

    @Test(arguments: [
        ("1970-01-01T00:00:00Z", 0), ("2024-02-29T01:00:00+01:00", 1_709_164_800),
        ("2024-02-28T18:30:00-05:30", 1_709_164_800),
        ("2099-12-31T23:59:59.250Z", 4_102_444_799_250),
    ])
    func `is read as operators write it`(text: String, number: Int) {
        let time = Timestamp(rfc3339: text)
        #expect(time?.milliseconds == (text.contains(".") ? number : number * 1000))
    }

    @Test(arguments: [
        "", "2024-02-29", "2023-02-29T00:00:00Z", "2024-13-01T00:00:00Z", "2024-01-01T24:00:00Z",
        "2024-01-01T00:00:00", "2024-01-01 00:00:00Z", "2024-01-01T00:00:00+1:00", "yesterday",
        "２024-01-01T00:00:00Z",
    ])
    func `is not guessed from what operators mistype`(text: String) {
        #expect(Timestamp(rfc3339: text) == nil)
    }
}
