public import Cryptography
public import KeyProtocol

/// What a device writes down after it was given a certificate.
public struct EnrolledDevice: Sendable {
    /// The name the server gave it, fit to be shown.
    public let name: String

    /// Its certificate, PEM.
    public let certificate: SecretBytes

    /// Whom it trusts to name the server, PEM.
    public let authority: SecretBytes

    /// Checks what a server answered.
    ///
    /// - Parameters:
    ///   - answer: The answer, over a connection on which the server has proved who it is.
    ///   - credentials: What was asked with.
    /// - Throws: ``FetchFailure/unusableCertificate(reason:)``.
    init(_ answer: CertificateAnswer, _ credentials: Credentials) throws(FetchFailure) {
        let certificate = SecretBytes(copying: answer.certificate.utf8)
        do throws(FetchError) {
            guard let pem = credentials.privateKey else { throw .misconfigured(message: "") }
            let key = try DeviceKey(pem: pem)
            guard try key.belongs(to: PEMCertificates(certificate, name: "")) else {
                throw .misconfigured(message: "")
            }
        } catch {
            throw .unusableCertificate(reason: "it is not for this device's key")
        }
        // What was trusted stays what is trusted: a fingerprint is exchanged for its certificate.
        if let authority = credentials.authority {
            self.authority = authority
        } else {
            let authority = SecretBytes(copying: answer.authority.utf8)
            let pin = PinnedAuthority(digest: credentials.authorityFingerprint ?? [])
            guard let read = try? PEMCertificates(authority, name: ""), read.count == 1,
                pin.isAuthority(read[0])
            else {
                throw .unusableCertificate(reason: "the authority beside it is another")
            }
            self.authority = authority
        }
        name = ShownText.make(answer.device, limit: 64)
        self.certificate = certificate
    }
}

extension Fetcher {
    /// Asks for a certificate once, within time limits.
    ///
    /// - Parameter endpoint: ``Endpoint/enroll``, or ``Endpoint/renew``.
    /// - Returns: What to write down.
    /// - Throws: ``FetchError``.
    public borrowing func attemptCertificate(
        _ endpoint: Endpoint
    ) throws(FetchError) -> EnrolledDevice {
        try attempt { () throws(FetchFailure) in
            let answer = try client.ask(endpoint)
            if case .certificate(let certificate) = answer.meaning {
                return try EnrolledDevice(certificate, credentials)
            }
            throw failure(of: answer, endpoint)
        }
    }

    /// Asks for the first certificate until the server answers, for ever if need be.
    ///
    /// The same key asks each time, so that an answer that was lost is given once more.
    ///
    /// - Parameters:
    ///   - onChangeOfCause: As for ``run(onChangeOfCause:beforeWaiting:)``.
    ///   - beforeWaiting: As there.
    /// - Returns: What to write down.
    /// - Throws: ``FetchError/refused(message:)`` or ``FetchError/misconfigured(message:)``.
    public borrowing func enroll(
        onChangeOfCause: (String) -> Void,
        beforeWaiting: (Duration) -> Void = { _ in }
    ) throws(FetchError) -> EnrolledDevice {
        try insist(
            onChangeOfCause: onChangeOfCause,
            beforeWaiting: beforeWaiting
        ) { () throws(FetchError) in try attemptCertificate(.enroll) }
    }

    /// Whether the device's certificate has lived two thirds of its time, by the clock here.
    public var renewalIsDue: Bool { client.renewalIsDue }
}
