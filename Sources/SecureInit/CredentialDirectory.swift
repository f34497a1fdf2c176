internal import Cryptography
internal import Glibc
internal import KeySources
internal import Linux

/// Where a device that enrolled keeps its key, its certificate and whom it trusts.
///
/// Mode 0700, its files 0600. The key is on the disk before anybody is asked, and the certificate
/// comes last: whatever a start was cut off at, the next goes on with the same key.
struct CredentialDirectory {
    /// The directory's path.
    let path: String

    /// The private key, PEM.
    var privateKey: String { "\(path)/key.pem" }

    /// The certificate, PEM.
    var certificate: String { "\(path)/cert.pem" }

    /// The authority's certificate, PEM.
    var authority: String { "\(path)/ca.pem" }

    /// Whether the device has enrolled.
    var isComplete: Bool { SecretFile.exists(certificate) && SecretFile.exists(privateKey) }

    /// The key of this device, made where there is none yet.
    ///
    /// - Throws: ``InitError/credential(_:reason:)``.
    func makePrivateKey() throws(InitError) -> SecretBytes {
        do throws(Errno) {
            try Self.makeDirectory(path)
            if SecretFile.exists(privateKey) {
                return try SecretFile.read(path: privateKey, limit: CredentialReader.maximumCount)
            }
        } catch {
            throw .credential("--credentials \(path)", reason: "cannot be used: \(error)")
        }
        let key: SecretBytes
        do throws(FetchError) {
            key = try DeviceKey.generate()
        } catch {
            throw .misconfigured("\(error)")
        }
        try write(privateKey, key)
        return key
    }

    /// Keeps what a server has given.
    ///
    /// - Throws: ``InitError/credential(_:reason:)``.
    func keep(_ given: GivenCertificate) throws(InitError) {
        try write(authority, given.authority)
        try write(certificate, given.certificate)
    }

    /// Keeps a certificate that takes the place of the one there is.
    ///
    /// - Throws: `Errno`; the old one is there still.
    func renew(_ given: GivenCertificate) throws(Errno) {
        try SecretFile.write(path: certificate, contents: given.certificate)
    }

    private func write(_ file: String, _ contents: SecretBytes) throws(InitError) {
        do throws(Errno) {
            try SecretFile.write(path: file, contents: contents)
        } catch {
            throw .credential("--credentials \(path)", reason: "cannot be written: \(error)")
        }
    }

    /// Makes a directory, and those above it; one that is there stays as it is.
    private static func makeDirectory(_ path: String) throws(Errno) {
        do throws(Errno) {
            _ = try valueOrErrno { mkdir(path, 0o700) }
        } catch .fileExists {
            return
        } catch .noSuchFile {
            guard let slash = path.lastIndex(of: "/"), slash != path.startIndex else {
                throw .noSuchFile
            }
            try makeDirectory(String(path[..<slash]))
            _ = try valueOrErrno { mkdir(path, 0o700) }
        }
    }
}

/// A certificate as the fetcher hands it over: length (4 bytes, big-endian) ‖ certificate ‖
/// authority, both PEM.
struct GivenCertificate {
    /// The device's certificate.
    let certificate: SecretBytes

    /// Whom it trusts.
    let authority: SecretBytes

    /// Gathers both.
    init(certificate: SecretBytes, authority: SecretBytes) {
        self.certificate = certificate
        self.authority = authority
    }

    /// Takes a frame's payload apart; nil where it is none.
    init?(_ payload: UnsafeRawBufferPointer) {
        let count = payload.prefix(4).reduce(0) { $0 << 8 | Int($1) }
        guard payload.count > 4, count > 0, count < payload.count - 4 else { return nil }
        let texts = UnsafeRawBufferPointer(rebasing: payload[4...])
        // PEM, and nothing that a terminal or a parser of ours would stumble over.
        guard texts.allSatisfy({ $0 == 0x0A || $0 == 0x0D || (0x20...0x7E).contains($0) }) else {
            return nil
        }
        certificate = SecretBytes(copying: UnsafeRawBufferPointer(rebasing: texts[..<count]))
        authority = SecretBytes(copying: UnsafeRawBufferPointer(rebasing: texts[count...]))
    }

    /// The payload.
    var encoded: SecretBytes {
        let count = UInt32(truncatingIfNeeded: certificate.count).bigEndian
        return .concatenating([
            withUnsafeBytes(of: count) { SecretBytes(copying: $0) }, certificate, authority,
        ])
    }
}
