import Cryptography
import Testing

@testable import KeySources

@Suite struct `Fetch jobs` {
    private var job: FetchJob {
        var credentials = Credentials()
        credentials.certificate = secret("certificate")
        credentials.token = SecretBytes(copying: [0, 255])
        credentials.authorityFingerprint = [1, 2, 3]
        credentials.enrolmentToken = secret("one-time")
        return FetchJob(
            server: ServerAddress(host: "::1", port: 8443, path: "/p"),
            credentials: credentials,
            keyNames: ["default", "db"],
            device: "gerät",
            bootID: "",
            version: "1",
            identifiers: ["0a1b2c3d"],
            generations: ["default"],
            renews: true
        )
    }

    @Test func `cross a pipe unchanged`() throws {
        let read = try decode(job.encoded())
        #expect(read.server == job.server)
        #expect(read.credentials.certificate?.isEqual(to: secret("certificate")) == true)
        #expect(read.credentials.privateKey == nil)
        #expect(read.credentials.authority == nil)
        #expect(read.credentials.token?.isEqual(to: SecretBytes(copying: [0, 255])) == true)
        #expect(read.credentials.authorityFingerprint == [1, 2, 3])
        #expect(read.credentials.enrolmentToken?.isEqual(to: secret("one-time")) == true)
        #expect(read.renews)
        #expect(read.keyNames == ["default", "db"])
        #expect(read.device == "gerät")
        #expect(read.bootID == "")
        #expect(read.version == "1")
        #expect(read.identifiers == ["0a1b2c3d"])
        #expect(read.generations == ["default"])
    }

    @Test func `are refused when cut anywhere, or longer than they say`() throws {
        let whole = job.encoded()
        for count in 0..<whole.count {
            #expect(throws: KeySourceError.malformedJob) { try decode(whole.slice(0..<count)) }
        }
        #expect(throws: KeySourceError.malformedJob) {
            try decode(.concatenating([whole, secret("x")]))
        }
    }

    @Test func `do not trap whatever they hold`() {
        let whole = job.encoded().withUnsafeBytes { Array($0) }
        for index in whole.indices {
            for byte: UInt8 in [0, 1, 0x7F, 0x80, 0xFF] {
                var bytes = whole
                bytes[index] = byte
                _ = try? decode(SecretBytes(copying: bytes))
            }
        }
    }

    private func decode(_ bytes: SecretBytes) throws(KeySourceError) -> FetchJob {
        try bytes.withUnsafeBytes { bytes throws(KeySourceError) in
            try FetchJob(decoding: bytes)
        }
    }
}
