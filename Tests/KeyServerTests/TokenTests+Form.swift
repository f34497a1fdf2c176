import Crypto
import Cryptography
import Foundation
import KeyProtocol
import Testing

@testable import KeyServer

// What is taken for a token, and what is not.
extension `A token` {
    @Test func `that is a forgery is told from a genuine one`() throws {
        let (token, record) = try make()
        let text = String(decoding: token.withUnsafeBytes { Array($0) }, as: UTF8.self)
        let parts = text.split(separator: ".").map(String.init)
        let (id, key) = try signingKey()
        let good = #"{"alg":"ES256","typ":"JWT","kid":"\#(id)"}"#
        let now = record.issuedAt.seconds
        let claims =
            #"{"aud":"secure-store","sub":"kiosk","jti":"\#(record.id)","iat":\#(now),"nbf":\#(now),"exp":\#(now + 9)}"#
        #expect(try signer.verify(signed(good, claims)).id == record.id, "the control")

        // Signed with nothing, or with the public key as a password.
        for header in [
            #"{"alg":"none"}"#, #"{"alg":"none","kid":"\#(id)"}"#,
            #"{"alg":"None","kid":"\#(id)"}"#,
            #"{"kid":"\#(id)"}"#, #"{"alg":"es256","kid":"\#(id)"}"#,
        ] {
            for signature in ["", parts[2]] {
                let forged = secret("\(base64(header)).\(parts[1]).\(signature)")
                #expect(throws: TokenError.algorithm) { try signer.verify(forged) }
            }
            #expect(throws: TokenError.algorithm) { try signer.verify(signed(header, claims)) }
        }
        let publicKeys = [
            Array(key.publicKey.pemRepresentation.utf8), Array(key.publicKey.rawRepresentation),
            Array(key.publicKey.derRepresentation),
        ]
        for bytes in publicKeys {
            let content = "\(base64(#"{"alg":"HS256","kid":"\#(id)"}"#)).\(parts[1])"
            let mac = HMAC<Crypto.SHA256>.authenticationCode(
                for: Array(content.utf8),
                using: SymmetricKey(data: bytes)
            )
            #expect(throws: TokenError.algorithm) {
                try signer.verify(secret("\(content).\(base64(Array(mac)))"))
            }
        }
        // Of another key, of an unknown one, of another content, and of no point of the curve.
        let foreign = try P256.Signing.PrivateKey().signature(
            for: Array("\(parts[0]).\(parts[1])".utf8)
        ).rawRepresentation
        let zeros = base64([UInt8](repeating: 0, count: 64))
        let ones = base64([UInt8](repeating: 0xFF, count: 64))
        for signature in [base64(Array(foreign)), zeros, ones] {
            #expect(throws: TokenError.signature) {
                try signer.verify(secret("\(parts[0]).\(parts[1]).\(signature)"))
            }
        }
        #expect(throws: TokenError.signature) {
            try signer.verify(secret("\(parts[0]).\(base64(claims)).\(parts[2])"))
        }
        #expect(throws: TokenError.unknownKey) {
            try signer.verify(signed(#"{"alg":"ES256","kid":"other"}"#, claims))
        }
    }

    @Test(arguments: [
        (#"{"alg":"ES256","kid":"K","crit":["x"]}"#, "header: crit"),
        (#"{"alg":"ES256","kid":"K","jwk":{}}"#, "header: jwk"),
        (#"{"alg":"ES256","kid":"K","jku":"https://x"}"#, "header: jku"),
        (#"{"alg":"ES256","kid":"K","b64":false}"#, "header: b64"),
        (#"{"alg":"ES256","kid":"K","zip":"DEF"}"#, "header: zip"),
        (#"{"alg":"ES256","kid":"K","typ":"JOSE"}"#, "header: typ"),
        (#"{"alg":"ES256","kid":7}"#, "header: kid"), (#"{"alg":"ES256"}"#, "header: kid"),
        (#"{"alg":["ES256"],"kid":"K"}"#, "header: alg"),
        (#"{"alg":"ES256","alg":"none","kid":"K"}"#, "not JSON"), ("[]", "not JSON"),
        ("ES256", "not JSON"),
    ])
    func `has one form of header`(header: String, reason: String) throws {
        _ = try make()
        let id = try signingKey().id
        let token = try signed(header.replacingOccurrences(of: "\"K\"", with: "\"\(id)\""), "{}")
        #expect { try signer.verify(token) } throws: { "\($0)" == reason }
    }

    @Test(arguments: [
        (#""aud":"other""#, "for another audience"), (#""aud":["secure-store"]"#, "for another"),
        (#""sub":"""#, "claim: sub"), (#""jti":7"#, "claim: jti"), (#""exp":"9""#, "claim: exp"),
        (#""exp":1e3"#, "claim: exp"), (#""exp":999999999999"#, "claim: exp"),
        (#""exp":10"#, "claim: exp"), (#""exp":-1"#, "claim: exp"), (#""nbf":5"#, "claim: nbf"),
        (#""keys":"db""#, "claim: keys"), (#""keys":[7]"#, "claim: keys"),
        (#""keys":null"#, "claim: keys"),
    ])
    func `has one form of claims`(claim: String, reason: String) throws {
        _ = try make()
        let id = try signingKey().id
        let name = String(try #require(claim.split(separator: ":").first))
        let all = [
            #""aud":"secure-store""#, #""sub":"kiosk""#, #""jti":"x""#, #""iat":10"#, #""nbf":10"#,
            #""exp":20"#,
        ]
        let header = #"{"alg":"ES256","kid":"\#(id)"}"#
        #expect(
            try signer.verify(signed(header, "{\(all.joined(separator: ","))}")).expiresAt == 20,
            "the control"
        )
        let changed = all.filter { !$0.hasPrefix(name) } + [claim]
        #expect {
            try signer.verify(signed(header, "{\(changed.joined(separator: ","))}"))
        } throws: {
            let text = "\($0)"
            return text.hasPrefix(reason) || (name == "\"aud\"" && text == "claim: aud")
        }
        // The same member twice, whichever a reader would take.
        let twice = all + [claim]
        if name != "\"keys\"" {
            #expect(throws: TokenError.notJSON) {
                try signer.verify(signed(header, "{\(twice.joined(separator: ","))}"))
            }
        }
    }

    @Test func `is written in one way`() throws {
        let (token, _) = try make()
        let text = String(decoding: token.withUnsafeBytes { Array($0) }, as: UTF8.self)
        let parts = text.split(separator: ".").map(String.init)
        let last = try #require(parts[2].last)
        // 64 bytes leave four bits over in the last character: they must be nought.
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
        let next = alphabet[try #require(alphabet.firstIndex(of: last)) + 1]
        for (other, error) in [
            ("\(text)=", TokenError.encoding), ("\(text)==", .encoding), ("\(text)\n", .encoding),
            (" \(text)", .encoding),
            ("\(parts[0]).\(parts[1]).\(parts[2].dropLast())\(next)", .encoding),
            ("\(parts[0])=.\(parts[1]).\(parts[2])", .encoding),
            (text.replacingOccurrences(of: ".", with: ". "), .encoding),
            ("\(text).", .notCompact), ("\(parts[0]).\(parts[1])", .notCompact), ("", .notCompact),
            ("..", .encoding), (".\(text)", .notCompact),
            ("\(parts[0]).\(parts[1]).AAAA", .signature),
            (String(repeating: "A", count: 4097), .tooLong),
            (text + String(repeating: "A", count: 4096), .tooLong),
        ] {
            #expect(throws: error, "\(other)") { try signer.verify(secret(other)) }
        }
        #expect(try signer.verify(token).device == "kiosk", "the control")
    }
}
