internal import Cryptography
internal import KeyProtocol

/// An HTTP/1.1 answer as it comes in, byte by byte.
///
/// Written by hand because OpenSSL 3.0's HTTP client gives up on 201 and 202, which the protocol
/// is made of, and hides the body and the headers of every 4xx. Reads RFC 9112 strictly: what two
/// readers could understand differently is refused.
struct HTTPAnswer: ~Copyable {
    /// What stands before the body.
    struct Head {
        let status: Int
        let reason: String
        var retryAfter: String?
        var location: String?
        fileprivate var contentLength: Int?
        fileprivate var isChunked = false

        fileprivate var promisesBody: Bool { (200..<300).contains(status) }
    }

    /// The final head, once all of it has come.
    private(set) var head: Head?

    /// Whether nothing more is to come.
    private(set) var isComplete = false

    private var body: SecretBuffer
    private var state = State.statusLine
    private var draft: Head?
    private var line: [UInt8] = []
    private var headCount = 0

    private enum State {
        case statusLine
        case fields
        case body(left: Int)
        case bodyUntilEnd
        case chunkSize
        case chunk(left: Int)
        case chunkEnd
        case trailer
    }

    /// Begins with nothing.
    ///
    /// - Parameter bodyLimit: The longest body that is taken, in bytes.
    init(bodyLimit: Int = UnlockLimits.maximumBodyCount) {
        body = SecretBuffer(capacity: bodyLimit)
    }

    /// The body, without transfer coding.
    borrowing func copyBody() -> SecretBytes { body.copy() }

    /// Takes the next bytes; those behind the answer's end are passed over.
    mutating func consume(_ bytes: UnsafeRawBufferPointer) throws(FetchFailure) {
        var rest = bytes[...]
        while !isComplete, !rest.isEmpty {
            switch state {
            case .body(let left):
                let part = rest.prefix(left)
                try append(part)
                rest = rest.dropFirst(part.count)
                state = .body(left: left - part.count)
                if left == part.count { isComplete = true }
            case .bodyUntilEnd:
                try append(rest)
                rest = rest.dropFirst(rest.count)
            case .chunk(let left):
                let part = rest.prefix(left)
                try append(part)
                rest = rest.dropFirst(part.count)
                state = left == part.count ? .chunkEnd : .chunk(left: left - part.count)
            case .statusLine, .fields, .chunkSize, .chunkEnd, .trailer:
                try consumeLine(&rest)
            }
        }
    }

    /// Takes note that the server has closed the connection.
    ///
    /// Whether TLS said so or the connection just ended makes no difference where the end is the
    /// length: JSON shows by itself that it is whole.
    mutating func finish() throws(FetchFailure) {
        guard !isComplete else { return }
        guard case .bodyUntilEnd = state else { throw .closedEarly }
        isComplete = true
    }

    private mutating func append(_ part: Slice<UnsafeRawBufferPointer>) throws(FetchFailure) {
        guard !body.append(UnsafeRawBufferPointer(rebasing: part)) else { return }
        try endTooLongBody()
    }

    /// What a refusal or an error says at such length is not needed to understand it.
    private mutating func endTooLongBody() throws(FetchFailure) {
        guard head?.promisesBody == false else { throw .bodyTooLong }
        body.removeAll()
        isComplete = true
    }

    // MARK: Lines

    private mutating func consumeLine(
        _ rest: inout Slice<UnsafeRawBufferPointer>
    ) throws(FetchFailure) {
        let end = rest.firstIndex(of: UInt8(ascii: "\n"))
        let part = rest[..<(end ?? rest.endIndex)]
        headCount += part.count
        guard headCount <= UnlockLimits.maximumHeadCount else { throw .headTooLong }
        line += part
        rest = rest[(end.map { $0 + 1 } ?? rest.endIndex)...]
        if case .statusLine = state, !"HTTP/1.".utf8.starts(with: line.prefix(7)) {
            throw .notHTTP
        }
        guard end != nil else { return }
        if line.last == UInt8(ascii: "\r") { line.removeLast() }
        let whole = line
        line.removeAll(keepingCapacity: true)
        guard !whole.contains(where: { $0 < 0x20 && $0 != 0x09 || $0 == 0x7F }) else {
            throw .framing
        }
        try handle(whole[...])
    }

    private mutating func handle(_ line: ArraySlice<UInt8>) throws(FetchFailure) {
        switch state {
        case .statusLine:
            draft = try Self.statusLine(line)
            state = .fields
        case .fields where line.isEmpty:
            try endHead()
        case .fields:
            try handleField(line)
        case .chunkSize:
            try handleChunkSize(line)
        case .chunkEnd:
            guard line.isEmpty else { throw .framing }
            state = .chunkSize
        case .trailer:
            if line.isEmpty { isComplete = true }
        case .body, .bodyUntilEnd, .chunk:
            // No lines in these.
            throw .framing
        }
    }

    /// `HTTP/1.1 200 OK`; the reason may be missing.
    private static func statusLine(_ line: ArraySlice<UInt8>) throws(FetchFailure) -> Head {
        let parts = line.split(
            separator: UInt8(ascii: " "),
            maxSplits: 2,
            omittingEmptySubsequences: false
        )
        guard parts.count >= 2, parts[0].count == 8, parts[0].last?.isDigit == true,
            parts[1].count == 3, parts[1].allSatisfy(\.isDigit),
            let status = Int(String(decoding: parts[1], as: UTF8.self)), status >= 100
        else { throw .notHTTP }
        let reason = parts.count > 2 ? String(decoding: parts[2], as: UTF8.self) : ""
        return Head(status: status, reason: ShownText.make(reason, limit: 60))
    }

    private mutating func handleField(_ line: ArraySlice<UInt8>) throws(FetchFailure) {
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > line.startIndex,
            line[..<colon].allSatisfy({ (0x21...0x7E).contains($0) })
        else { throw .framing }
        let name = String(decoding: line[..<colon], as: UTF8.self).lowercased()
        let isSpace: (UInt8) -> Bool = { $0 == 0x20 || $0 == 0x09 }
        let trimmed = line[(colon + 1)...].drop(while: isSpace)
        let value = String(
            decoding: trimmed.prefix(
                trimmed.lastIndex { !isSpace($0) }.map {
                    $0 + 1 - trimmed.startIndex
                } ?? 0
            ),
            as: UTF8.self
        )
        switch name {
        case "content-length":
            guard draft?.contentLength == nil, (1...15).contains(value.utf8.count),
                value.utf8.allSatisfy(\.isDigit), let length = Int(value)
            else { throw .framing }
            draft?.contentLength = length
        case "transfer-encoding":
            guard draft?.isChunked == false, value.lowercased() == "chunked" else {
                throw .framing
            }
            draft?.isChunked = true
        case "retry-after":
            draft?.retryAfter = value
        case "location":
            draft?.location = value
        default:
            break
        }
    }

    private mutating func endHead() throws(FetchFailure) {
        guard let ended = draft else { throw .framing }
        draft = nil
        if (100..<200).contains(ended.status) {
            // 101 would change the protocol, which nobody asked for.
            guard ended.status != 101 else { throw .framing }
            state = .statusLine
            return
        }
        head = ended
        switch (ended.isChunked, ended.contentLength) {
        case (true, _?):
            throw .framing
        case (true, nil):
            state = .chunkSize
        case (false, 0?):
            isComplete = true
        case (false, let length?):
            state = .body(left: length)
            if length > body.capacity { try endTooLongBody() }
        case (false, nil):
            state = .bodyUntilEnd
        }
        if ended.status == 204 || ended.status == 304 { isComplete = true }
    }

    /// Hexadecimal, then perhaps `;` and extensions.
    private mutating func handleChunkSize(_ line: ArraySlice<UInt8>) throws(FetchFailure) {
        // Chunks of a byte each are within the rules; their sizes are no part of the head.
        headCount = 0
        let digits = line.prefix { $0 != UInt8(ascii: ";") && $0 != 0x20 && $0 != 0x09 }
        guard (1...8).contains(digits.count), digits.first != UInt8(ascii: "+"),
            digits.first != UInt8(ascii: "-"),
            let size = Int(String(decoding: digits, as: UTF8.self), radix: 16)
        else { throw .framing }
        if size > body.capacity - body.count {
            try endTooLongBody()
        } else {
            state = size == 0 ? .trailer : .chunk(left: size)
        }
    }
}
