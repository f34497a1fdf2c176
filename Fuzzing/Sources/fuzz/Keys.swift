internal import Cryptography
internal import KeyProtocol

private let bundle: KeyBundle = {
    var bundle = KeyBundle()
    let generated = "ssk1_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8kSZ-ig"
    do {
        try bundle.add(
            StoreKey(SecretBytes(copying: "fuzz".utf8)),
            named: KeyBundle.defaultName
        )
        try bundle.add(StoreKey(SecretBytes(copying: generated.utf8)), named: "generated")
    } catch {
        fatalError("no bundle: \(error)")
    }
    return bundle
}()

func fuzzVariables(_ input: UnsafeRawBufferPointer) {
    if let plaintext = try? EncryptedVariable.decrypt(input, name: "NAME", keys: bundle) {
        plaintext.withUnsafeBytes { invariant(!$0.contains(0), "no variable holds a NUL") }
    }
    let name = String(decoding: input.prefix(32), as: UTF8.self)
    _ = try? EncryptedVariable.decrypt(input, name: name, keys: bundle)

    let plaintext = SecretBytes(copying: input)
    for keyName in bundle.names {
        guard let key = bundle[keyName] else { continue }
        for form in [EncryptedVariable.Form.original, .v2] {
            guard
                let value = try? EncryptedVariable.encrypt(
                    plaintext,
                    name: "NAME",
                    key: key,
                    form: form
                )
            else { continue }
            var keys = KeyBundle()
            try? keys.add(key, named: KeyBundle.defaultName)
            let again = try? Array(value.utf8).withUnsafeBytes {
                try EncryptedVariable.decrypt($0, name: "NAME", keys: keys)
            }
            invariant(again?.isEqual(to: plaintext) == true, "a value comes back from encryption")
        }
    }
}

func fuzzKeys(_ input: UnsafeRawBufferPointer) {
    if let key = try? StoreKey(SecretBytes(copying: input)) {
        invariant(key.text.count == input.count, "a key is what was typed")
        if let generated = key.generated {
            invariant(generated.bytes.count == 32 && generated.id.utf8.count == 8, "a whole key")
        }
    }
    guard let bundle = try? KeyBundle(decoding: input) else { return }
    bundle.encoded().withUnsafeBytes {
        invariant($0.elementsEqual(input), "a bundle is written as it was read")
    }
}

/// Two bytes of status and endpoint, up to a line's end for `Retry-After`, then the body.
func fuzzAnswer(_ input: UnsafeRawBufferPointer) {
    guard input.count >= 2 else { return }
    let rest = input.dropFirst(2)
    let line = rest.prefix { $0 != UInt8(ascii: "\n") }
    let status = 100 + (Int(input[0]) << 8 | Int(input[1])) % 900
    let body = SecretBytes(
        copying: UnsafeRawBufferPointer(rebasing: rest.dropFirst(line.count + 1))
    )
    for endpoint in [Endpoint.unlock, .key, .enroll] {
        // Every status, but most often those that have a body to be read.
        for status in [status, 200, 201, 202, 403] {
            let answer = try? ServerAnswer(
                status: status,
                retryAfter: String(decoding: line, as: UTF8.self),
                body: body,
                endpoint: endpoint,
                wanted: ["default", "second"]
            )
            guard case .keys(let keys, _, _) = answer else { continue }
            invariant(Set(keys.names) == ["default", "second"], "the keys that were asked for")
        }
    }
}

func fuzzRequest(_ input: UnsafeRawBufferPointer) {
    guard let request = try? UnlockRequest(decoding: SecretBytes(copying: input)) else { return }
    invariant(
        (try? UnlockRequest(decoding: request.encoded())) == request,
        "a request is read as it was written"
    )
}

func fuzzEnrolment(_ input: UnsafeRawBufferPointer) {
    let body = SecretBytes(copying: input)
    if let request = try? CertificateRequest(decoding: body) {
        let again = (try? request.encoded()).flatMap { try? CertificateRequest(decoding: $0) }
        invariant(
            again?.request == request.request && again?.version == request.version
                && again?.token.map { token in request.token?.isEqual(to: token) == true }
                    ?? (request.token == nil),
            "a request is read as it was written"
        )
    }
    if let answer = try? CertificateAnswer(decoding: body) {
        let again = try? CertificateAnswer(decoding: answer.encoded())
        invariant(again == answer, "an answer is read as it was written")
    }
    guard let token = EnrolmentToken(parsing: body) else { return }
    invariant(token.text.count == EnrolmentToken.textCount, "a token is as long as a token")
    invariant(token.authority.count == 32 && token.id.utf8.count == 16, "a whole token")
    invariant(EnrolmentToken(parsing: token.text)?.id == token.id, "a token is read again")
}

func fuzzToken(_ input: UnsafeRawBufferPointer) {
    guard let token = try? DeviceToken(parsing: SecretBytes(copying: input)) else { return }
    invariant(token.signature.count == 64, "a whole signature")
    invariant(
        input.starts(with: token.signedText) && input[token.signedText.count] == UInt8(ascii: "."),
        "what is signed is what was sent"
    )
    let text = DeviceToken.text(token.claims, keyID: token.keyID) { _ in token.signature }
    let again = try? DeviceToken(parsing: text)
    invariant(
        again?.claims == token.claims && again?.keyID == token.keyID,
        "a token is read as it was written"
    )
}
