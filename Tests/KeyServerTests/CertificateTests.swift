import Cryptography
import KeyServer
import TestSupport
import Testing

@Suite struct `Certificates` {
    private let directory: TemporaryDirectory
    private let state: StateDirectory

    init() throws {
        directory = try TemporaryDirectory()
        state = StateDirectory(directory("state"))
        try state.createAuthority(hostNames: ["keys.example.org", "192.0.2.1", "2001:db8::1"])
    }

    private func openssl(_ arguments: String...) throws -> Subprocess.Output {
        try Subprocess.run("openssl", arguments)
    }

    private func addDevice(_ name: String) throws -> String {
        let credentials = try state.issueDevice(DeviceName(name), days: 30)
        try credentials.write(to: directory(name))
        return directory("\(name)/cert.pem")
    }

    @Test(.requires(.tool("openssl")))
    func `of devices serve as clients and nothing else`() throws {
        let certificate = try addDevice("kiosk-1")
        let ca = state.authorityCertificate
        let client = try openssl(
            "verify",
            "-x509_strict",
            "-purpose",
            "sslclient",
            "-CAfile",
            ca,
            certificate
        )
        #expect(client.status == 0, "\(client.errorText)")
        let server = try openssl("verify", "-purpose", "sslserver", "-CAfile", ca, certificate)
        #expect(server.status != 0)
        #expect((server.errorText + server.text).contains("unsuitable certificate purpose"))
        let text = try openssl("x509", "-in", certificate, "-noout", "-text").text
        #expect(text.contains("TLS Web Client Authentication"))
        #expect(!text.contains("TLS Web Server Authentication"))
        #expect(text.contains("Public-Key: (256 bit)"))
        #expect(text.contains("DNS:kiosk-1"))
        #expect(text.contains("CA:FALSE"))
    }

    @Test(.requires(.tool("openssl")))
    func `of the server serve as a server and nothing else`() throws {
        let ca = state.authorityCertificate
        for (purpose, good) in [("sslserver", true), ("sslclient", false)] {
            let output = try openssl(
                "verify",
                "-x509_strict",
                "-purpose",
                purpose,
                "-CAfile",
                ca,
                state.serverCertificate
            )
            #expect((output.status == 0) == good)
        }
        for name in [
            ["-verify_hostname", "keys.example.org"], ["-verify_ip", "192.0.2.1"],
            ["-verify_ip", "2001:db8::1"],
        ] {
            let output = try Subprocess.run(
                "openssl",
                ["verify"] + name + ["-CAfile", ca, state.serverCertificate]
            )
            #expect(output.status == 0, "\(name)")
        }
    }

    @Test(.requires(.tool("openssl")))
    func `of another authority do not verify`() throws {
        let certificate = try addDevice("kiosk-1")
        let other = StateDirectory(directory("other"))
        try other.createAuthority(hostNames: ["localhost"])
        let output = try openssl("verify", "-CAfile", other.authorityCertificate, certificate)
        #expect(output.status != 0)
    }

    @Test func `tell their names and dates`() throws {
        let info = try CertificateInfo(readingFile: state.serverCertificate)
        #expect(info.name == "keys.example.org")
        #expect(info.alternativeNames == ["keys.example.org", "192.0.2.1", "2001:db8::1"])
        #expect(info.notBefore.seconds < Timestamp.now.seconds - 86_000)
        #expect(info.notAfter.seconds > Timestamp.now.seconds + 4 * 365 * 86_400)
        let device = try CertificateInfo(readingFile: addDevice("kiosk-1"))
        #expect(device.name == "kiosk-1")
        #expect(abs(device.notAfter.seconds - Timestamp.now.seconds - 30 * 86_400) < 60)
    }

    @Test func `outlive their authority in no case`() throws {
        let credentials = try state.issueDevice(DeviceName("old"), days: 100_000)
        let device = try CertificateInfo(pem: credentials.certificate, source: "old")
        let authority = try CertificateInfo(readingFile: state.authorityCertificate)
        #expect(device.notAfter == authority.notAfter)
    }

    @Test func `come with files only their owner can read where they are secret`() throws {
        _ = try addDevice("kiosk-1")
        for (name, mode) in [
            ("cert.pem", "644"), ("ca.pem", "644"), ("key.pem", "600"), ("device.env", "600"),
        ] {
            let output = try Subprocess.run("stat", ["-c", "%a", directory("kiosk-1/\(name)")])
            #expect(output.text == "\(mode)\n", "\(name)")
        }
        for name in ["ca-key.pem", "server-key.pem"] {
            let output = try Subprocess.run("stat", ["-c", "%a", "\(state.path)/\(name)"])
            #expect(output.text == "600\n", "\(name)")
        }
        #expect(try Subprocess.run("stat", ["-c", "%a", state.path]).text == "700\n")
    }

    @Test func `are not made over an authority that exists`() throws {
        let before = try StateFile.read(state.authorityCertificate)
        #expect(throws: KeyServerError.self) { try state.createAuthority(hostNames: ["x"]) }
        #expect(try StateFile.read(state.authorityCertificate).isEqual(to: before))
        #expect(
            try CertificateInfo(readingFile: state.serverCertificate).name == "keys.example.org"
        )
    }

    @Test func `of the server can be renewed from the same authority`() throws {
        try state.renewServerCertificate(hostNames: ["new.example.org"])
        #expect(try CertificateInfo(readingFile: state.serverCertificate).name == "new.example.org")
    }

    @Test func `need an authority`() throws {
        let empty = StateDirectory(directory("empty"))
        #expect(throws: KeyServerError.noAuthority(directory: empty.path)) {
            try empty.issueDevice(DeviceName("a"), days: 1)
        }
        #expect(throws: KeyServerError.noAuthority(directory: empty.path)) {
            try Administration(empty)
        }
        #expect(throws: KeyServerError.noAuthority(directory: empty.path)) {
            try ServerCertificates(in: empty)
        }
    }

    @Test(arguments: [
        "", "-a", "a-", "A", "a.b", "a/b", "../a", "a b", "a\n", "ä", "*", "a_b", "a\0b",
        String(repeating: "a", count: 64),
    ])
    func `are refused to names that are no plain label`(name: String) {
        #expect(throws: KeyServerError.deviceName(name)) { try DeviceName(name) }
    }

    @Test(arguments: ["a", "0", "kiosk-1", "a--b", String(repeating: "a", count: 63)])
    func `are given to plain labels`(name: String) throws {
        #expect(try DeviceName(name).text == name)
    }

    @Test(arguments: ["", ".", "a..b", "-a", "a-", "a b", "https://a", "a:1", "1.2.3", "*.a", "ä"])
    func `are refused to what is no host name`(name: String) {
        let directory = StateDirectory(directory("hosts"))
        #expect(throws: KeyServerError.hostName(name)) {
            try directory.createAuthority(hostNames: [name])
        }
    }
}
