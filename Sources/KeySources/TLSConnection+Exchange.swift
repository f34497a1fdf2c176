internal import Cryptography
internal import KeyProtocol

extension TLSConnection {
    /// Sends the request and reads the answer to its end.
    ///
    /// - Parameters:
    ///   - request: HTTP/1.1, head and body.
    ///   - duration: From the first byte of the request to the last of the answer.
    ///   - bodyLimit: The longest body that is taken, in bytes.
    /// - Returns: The answer; of an error's, perhaps no more than its head.
    /// - Throws: ``FetchFailure`` where there is none.
    mutating func exchange(
        _ request: SecretBytes,
        for duration: Duration,
        bodyLimit: Int = UnlockLimits.maximumBodyCount
    ) throws(FetchFailure) -> HTTPAnswer {
        do throws(Interruption) {
            return try exchange(request, until: .now.advanced(by: duration), bodyLimit)
        } catch {
            switch error {
            case .timedOut: throw .answerTimedOut(seconds: duration.shownSeconds)
            case .ended: throw .closedEarly
            case .lost(let errno): throw .connectionLost(errno)
            case .failed(let failure): throw failure
            }
        }
    }

    private mutating func exchange(
        _ request: SecretBytes,
        until deadline: ContinuousClock.Instant,
        _ bodyLimit: Int
    ) throws(Interruption) -> HTTPAnswer {
        try request.withUnsafeBytes { bytes throws(Interruption) in
            try write(bytes, until: deadline)
        }
        var answer = HTTPAnswer(bodyLimit: bodyLimit)
        var window = SecretBuffer(capacity: 16_384)
        do throws(Interruption) {
            while !answer.isComplete {
                window.removeAll()
                let count = try read(into: &window, until: deadline)
                try Self.parsing { () throws(FetchFailure) in
                    guard count > 0 else { return try answer.finish() }
                    try window.withUnsafeBytes { bytes throws(FetchFailure) in
                        try answer.consume(bytes)
                    }
                }
            }
        } catch {
            // What an error says beside its status is a courtesy: without it, the status counts.
            guard let status = answer.head?.status, !(200..<300).contains(status) else {
                throw error
            }
        }
        return answer
    }

    private static func parsing(
        _ body: () throws(FetchFailure) -> Void
    ) throws(Interruption) {
        do throws(FetchFailure) {
            try body()
        } catch {
            throw .failed(error)
        }
    }
}
