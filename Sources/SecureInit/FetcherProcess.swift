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
            if job.credentials.enrolmentToken != nil {
                let device = try fetcher.enroll(
                    onChangeOfCause: { frames.write(.cause, $0) },
                    beforeWaiting: { tell($0, frames) }
                )
                frames.write(.certificate, GivenCertificate(device).encoded)
                return 0
            }
            let keys = try fetcher.run(
                onChangeOfCause: { frames.write(.cause, $0) },
                beforeWaiting: { tell($0, frames) }
            )
            // The server is there, and it has just said yes: before the supervisor hears of it, since
            // it ends this process then.
            if fetcher.renewalIsDue { renew(with: fetcher, reportingTo: frames) }
            if let token = fetcher.renewedToken { frames.write(.token, token) }
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

    /// Has the certificate renewed; where that fails, the present one has a third of its time left.
    private static func renew(
        with fetcher: borrowing Fetcher,
        reportingTo frames: borrowing FrameWriter
    ) {
        do throws(FetchError) {
            let device = try fetcher.attemptCertificate(.renew)
            frames.write(.certificate, GivenCertificate(device).encoded)
        } catch {
            frames.write(.line, code: 2, "the certificate is not renewed: \(error)")
        }
    }

    /// How long it is until the next attempt.
    private static func tell(_ wait: Duration, _ frames: borrowing FrameWriter) {
        let milliseconds = UInt32(clamping: Int64(wait / .milliseconds(1)))
        withUnsafeBytes(of: milliseconds.bigEndian) {
            _ = frames.write(.wait, SecretBytes(copying: $0))
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

extension GivenCertificate {
    /// What a server has given.
    fileprivate init(_ device: EnrolledDevice) {
        self.init(certificate: device.certificate, authority: device.authority)
    }
}
