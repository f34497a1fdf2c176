import Cryptography
import KeyServer
import TestSupport
import Testing

@Suite(.requires(.tool("openssl"))) struct `The original's shared certificate` {
    @Test func `has the original's properties`() throws {
        let directory = try TemporaryDirectory()
        let issued = try SharedCertificate.make(hostName: "secure-store-server")
        try StateFile.create(directory("cert.pem"), contents: issued.certificatePEM, mode: 0o644)
        try StateFile.create(directory("key.pem"), contents: issued.privateKeyPEM, mode: 0o600)
        let text = try Subprocess.run(
            "openssl",
            ["x509", "-in", directory("cert.pem"), "-noout", "-text"]
        ).text
        for part in [
            "Serial Number: 0 (0x0)", "Signature Algorithm: sha256WithRSAEncryption",
            "Issuer: CN = secure-store-server", "Subject: CN = secure-store-server",
            "Public-Key: (4096 bit)", "Exponent: 65537",
            "Digital Signature, Key Encipherment, Data Encipherment, Key Agreement",
            "TLS Web Server Authentication, TLS Web Client Authentication", "CA:FALSE",
            "DNS:secure-store-server",
        ] {
            #expect(text.contains(part), "\(part)")
        }
        let info = try CertificateInfo(pem: issued.certificatePEM, source: "test")
        #expect(info.notAfter.seconds - Timestamp.now.seconds > 99 * 365 * 86_400)
        // PKCS#1, and it fits.
        #expect(try directory.read("key.pem").starts(with: "-----BEGIN RSA PRIVATE KEY".utf8))
        let public1 = try Subprocess.run(
            "openssl",
            ["x509", "-in", directory("cert.pem"), "-noout", "-pubkey"]
        )
        let public2 = try Subprocess.run(
            "openssl",
            ["pkey", "-in", directory("key.pem"), "-pubout"]
        )
        #expect(public1.text == public2.text)
        #expect(public1.text.hasPrefix("-----BEGIN PUBLIC KEY"))
    }
}
