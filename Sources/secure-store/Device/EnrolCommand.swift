internal import ArgumentParser
internal import Cryptography
internal import KeyProtocol
internal import KeyServer
internal import KeySources

/// `secure-store enroll`: the device's side.
struct EnrolCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "enroll",
        abstract: "Makes a key on this device, and has a key server certify it.",
        discussion: """
            Takes a token of 'secure-store device enroll-token new'. The key never leaves DIR; \
            cert.pem comes last: a run that was cut off is simply repeated, with the same token and \
            directory. The token says which authority the server must have, unless --ca or \
            --ca-fingerprint does.
            """
    )

    @Argument(help: "The key server: https://HOST[:8443].")
    var url: String

    @Option(
        help: ArgumentHelp("A file holding the token; - for standard input.", valueName: "file")
    )
    var tokenFile: String

    @Option(help: ArgumentHelp("Who signed the server's certificate, PEM.", valueName: "file"))
    var ca: String?

    @Option(help: ArgumentHelp("SHA-256 of that certificate, instead.", valueName: "hex"))
    var caFingerprint: String?

    @Option(help: ArgumentHelp("Where key.pem, ca.pem and cert.pem go.", valueName: "dir"))
    var out: String

    func validate() throws {
        guard ca == nil || caFingerprint == nil else {
            throw ValidationError("give one of --ca and --ca-fingerprint")
        }
    }

    func run() throws {
        guard let source = try? KeySource(parsing: url), case .keyServer(let server) = source else {
            throw CommandFailure(.usage, "'\(url)' is no key server such as https://HOST:8443")
        }
        let place = EnrolledFiles(directory: out)
        guard !place.isComplete else { throw KeyServerError.exists(path: place.certificate) }
        guard let token = try EnrolmentToken(parsing: SecretInput.read(tokenFile, limit: 4096))
        else {
            throw CommandFailure(.data, "the token is none: it begins with sse1_, on one line")
        }
        var credentials = Credentials()
        credentials.enrolmentToken = token.text
        if let ca {
            credentials.authority = try StateFile.read(ca)
        } else {
            credentials.authorityFingerprint = try fingerprint() ?? token.authority
        }
        credentials.privateKey = try place.privateKey()
        let job = FetchJob(
            server: server,
            credentials: credentials,
            version: ProductVersion.text
        )
        let device: EnrolledDevice
        do throws(FetchError) {
            device = try Fetcher(job: job).attemptCertificate(.enroll)
        } catch {
            let status: ExitStatus =
                switch error {
                case .retryable: .unavailable
                case .refused: .denied
                case .misconfigured: .configuration
                }
            throw CommandFailure(status, "\(error)")
        }
        try place.write(device)
        let info = try CertificateInfo(readingFile: place.certificate)
        try Output.line("Device \(device.name), until \(info.notAfter.date), is in \(out)")
    }

    private func fingerprint() throws -> [UInt8]? {
        guard let caFingerprint else { return nil }
        let digits = Array(caFingerprint.filter { $0 != ":" }.utf8)
        guard let bytes = try? digits.withUnsafeBytes({ try Hexadecimal.decode($0) }),
            bytes.count == 32
        else {
            throw CommandFailure(.usage, "--ca-fingerprint takes 64 hexadecimal digits")
        }
        return bytes
    }
}

/// Where a device keeps what it shows servers; each file is there whole or not at all.
private struct EnrolledFiles {
    let directory: String

    var certificate: String { "\(directory)/cert.pem" }

    /// Whether the last of the files is there.
    var isComplete: Bool { StateFile.exists(certificate) }

    /// The key, made where there is none: a second run asks with that of the first.
    func privateKey() throws -> SecretBytes {
        try StateFile.createDirectory(directory)
        let path = "\(directory)/key.pem"
        if StateFile.exists(path) { return try StateFile.read(path) }
        let key = try DeviceKey.generate()
        try StateFile.create(path, contents: key, mode: 0o600)
        return key
    }

    func write(_ device: EnrolledDevice) throws {
        try StateFile.create(
            "\(directory)/ca.pem",
            contents: device.authority,
            mode: 0o644,
            replacing: true
        )
        try StateFile.create(certificate, contents: device.certificate, mode: 0o644)
    }
}
