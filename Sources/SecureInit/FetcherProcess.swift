internal import Cryptography
internal import KeyProtocol
internal import KeySources
internal import Linux

/// The process that speaks to the network, and can do nothing else.
enum FetcherProcess {
    /// The user and group it runs as: no account has this number, so nobody else is it.
    static let user: UInt32 = 64_201

    /// Runs it.
    static func main() -> Never {
        HelperEntry.harden(as: "secure-init-key", .fetcher)
        let frames = FrameWriter(
            OwnedDescriptor(takingOwnershipOf: HelperProcess.Inherited.frames)
        )
        CurrentProcess.exit(run(reportingTo: frames))
    }

    private static func run(reportingTo frames: borrowing FrameWriter) -> Int32 {
        do throws(FetchError) {
            let job = try job()
            for sentence in Sandbox.fetcher.enter() { frames.write(.line, code: 2, sentence) }
            let fetcher = try Fetcher(job: job)
            let keys = try fetcher.run {
                frames.write(.cause, $0)
            } beforeWaiting: { wait in
                let milliseconds = UInt32(clamping: Int64(wait / .milliseconds(1)))
                withUnsafeBytes(of: milliseconds.bigEndian) {
                    _ = frames.write(.wait, SecretBytes(copying: $0))
                }
            }
            frames.write(.keys, keys.encoded())
            return 0
        } catch {
            switch error {
            case .refused(let message): return fail(.refused, message, frames)
            case .misconfigured(let message): return fail(.configuration, message, frames)
            case .retryable(let cause): return fail(.unavailable, cause, frames)
            }
        }
    }

    private static func fail(
        _ code: ExitCode,
        _ message: String,
        _ frames: borrowing FrameWriter
    ) -> Int32 {
        frames.write(.failure, code: UInt8(truncatingIfNeeded: code.rawValue), message)
        return code.rawValue
    }

    private static func job() throws(FetchError) -> FetchJob {
        guard let encoded = HelperEntry.readJob(limit: FetchJob.maximumEncodedCount) else {
            throw .misconfigured(message: "the fetch job did not arrive whole")
        }
        do throws(KeySourceError) {
            return try encoded.withUnsafeBytes { bytes throws(KeySourceError) in
                try FetchJob(decoding: bytes)
            }
        } catch {
            throw .misconfigured(message: "\(error)")
        }
    }
}
