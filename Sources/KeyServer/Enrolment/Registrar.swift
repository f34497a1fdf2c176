internal import AccessRules
internal import Cryptography
internal import KeyProtocol
internal import X509

/// Gives devices certificates for keys that they made themselves: their first for a one-time token,
/// the next for the one they have.
///
/// Decision, certificate and entry in the audit log are one transaction; no answer leaves before it
/// is on disk. See ADR 47.
struct Registrar: Sendable {
    let storage: any Storage
    let authority: CertificateAuthority
    let authorityPEM: String
    let policy: ReleasePolicy
    let now: @Sendable () -> Timestamp

    /// What a device may have that is neither expired nor revoked: bounds what a stolen one makes.
    static let maximumCertificates = 8

    /// How far the clock may have been set back behind a token's making.
    private static let slack = 300_000

    /// Names tried before a pattern is given up.
    private static let maximumTries = 1000

    init(
        storage: any Storage,
        authority: CertificateAuthority,
        policy: ReleasePolicy,
        now: @escaping @Sendable () -> Timestamp = { .now }
    ) throws(KeyServerError) {
        self.storage = storage
        self.authority = authority
        authorityPEM = try authority.certificatePEM().text
        self.policy = policy
        self.now = now
    }

    /// What was decided, and is on disk.
    enum Outcome: Sendable {
        case issued(CertificateAnswer, token: String?)
        case refused(RegistrationRefusal, device: String?, token: String?)
    }

    // MARK: First certificates

    /// Enrols a device.
    ///
    /// - Parameters:
    ///   - token: What it shows.
    ///   - request: The key to certify.
    ///   - address: Where it asks from.
    /// - Returns: What was decided.
    /// - Throws: ``KeyServerError/storage(reason:)``; then nothing may be answered.
    func enroll(
        _ token: EnrolmentToken?,
        _ request: SigningRequest,
        from address: IPAddress?
    ) throws(KeyServerError) -> Outcome {
        guard let token else { return .refused(.unknownToken, device: nil, token: nil) }
        let hash = token.hash
        return try storage.transaction(.writing) { store throws(KeyServerError) in
            guard let record = try store.enrolmentToken(id: token.id),
                Self.isEqual(record.hash, hash)
            else { return .refused(.unknownToken, device: nil, token: nil) }
            return try enroll(with: record, request, from: address, in: store)
        }
    }

    private func enroll(
        with token: EnrolmentTokenRecord,
        _ request: SigningRequest,
        from address: IPAddress?,
        in store: any StorageTransaction
    ) throws(KeyServerError) -> Outcome {
        let now = now()
        var token = token
        if let fingerprint = try store.enrolment(token: token.id, key: request.digest) {
            // The answer was lost: the same key gets the same certificate, and uses nothing up.
            return try repeatAnswer(fingerprint, of: token, from: address, at: now, in: store)
        }
        if let refusal = Self.refusal(of: &token, at: now) {
            if token.endedAt != nil { try store.update(token) }
            return try refuse(refusal, device: nil, token, from: address, at: now, in: store)
        }
        let name: DeviceName
        switch try Self.name(for: &token, key: request.digest, in: store) {
        case .success(let found): name = found
        case .failure(let failure):
            let refused = failure.refusal
            return try refuse(refused, device: nil, token, from: address, at: now, in: store)
        }
        let present = try store.device(named: name.text)
        let device =
            present
            ?? DeviceRecord(
                id: 0,
                name: name.text,
                fleet: token.fleet,
                tags: token.tags,
                addedAt: now
            )
        if let refused = try refusal(of: device, from: address, at: now, in: store) {
            return try refuse(refused, device: name.text, token, from: address, at: now, in: store)
        }
        let id: Int
        if let present {
            id = present.id
            try store.revokeCertificates(ofDevice: id, at: .always)
        } else {
            id = try store.insertDevice(
                named: name.text,
                fleet: token.fleet,
                tags: token.tags,
                at: now
            )
        }
        let pem = try authority.certify(request, for: name, days: token.days)
        let info = try store.insert(pem, device: id, name.text, at: now)
        try store.insertEnrolment(
            token: token.id,
            key: request.digest,
            certificate: info.fingerprint
        )
        token.uses += 1
        try store.update(token)
        try store.append(
            AuditEntry(
                "device.enroll",
                at: now,
                [
                    "device": .text(name.text), "token": .text(token.id),
                    "certificate": .text(info.fingerprint), "until": .text(info.notAfter.date),
                    "address": address.map { .text("\($0)") },
                    "fleet": device.fleet.map { .text($0) },
                    "tags": device.tags.isEmpty ? nil : .list(device.tags),
                    "replaces": present == nil ? nil : "the device's certificates",
                ]
            )
        )
        return issued(pem.text, to: name.text, token: token.id)
    }

    private func repeatAnswer(
        _ fingerprint: String,
        of token: EnrolmentTokenRecord,
        from address: IPAddress?,
        at now: Timestamp,
        in store: any StorageTransaction
    ) throws(KeyServerError) -> Outcome {
        guard let certificate = try store.certificate(fingerprint: fingerprint),
            let id = certificate.device, let device = try store.device(id: id)
        else {
            let refused = RegistrationRefusal.release(.deviceRemoved)
            return try refuse(refused, device: nil, token, from: address, at: now, in: store)
        }
        var refused = try refusal(of: device, from: address, at: now, in: store)
        if refused == nil, let time = certificate.revokedAt {
            refused = .release(.certificateRevoked(at: time))
        }
        if let refused {
            let name = device.name
            return try refuse(refused, device: name, token, from: address, at: now, in: store)
        }
        try store.append(
            AuditEntry(
                "device.enroll",
                at: now,
                [
                    "device": .text(device.name), "token": .text(token.id),
                    "certificate": .text(fingerprint), "address": address.map { .text("\($0)") },
                    "again": "the answer was asked for once more",
                ]
            )
        )
        return issued(certificate.pem, to: device.name, token: token.id)
    }

    /// Why a token is of no use; one that is found to have expired is ended, so that a clock that is
    /// set back does not bring it back.
    private static func refusal(
        of token: inout EnrolmentTokenRecord,
        at now: Timestamp
    ) -> RegistrationRefusal? {
        if now.milliseconds >= token.expiresAt.milliseconds {
            token.endedAt = token.endedAt ?? now
            return .tokenExpired
        }
        if token.endedAt != nil { return .tokenEnded }
        if now.milliseconds < token.createdAt.milliseconds - slack { return .tokenFromTheFuture }
        return token.uses >= token.maximum ? .tokenUsed : nil
    }

    private struct NoName: Error {
        let refusal: RegistrationRefusal
    }

    /// The name of the next device.
    private static func name(
        for token: inout EnrolmentTokenRecord,
        key: String,
        in store: any StorageTransaction
    ) throws(KeyServerError) -> Result<DeviceName, NoName> {
        let pattern = try EnrolmentName(token.name)
        for _ in 0..<maximumTries {
            let name = try pattern.name(number: token.next, key: key)
            if pattern.isNumbered { token.next += 1 }
            if try store.device(named: name.text) == nil || token.replaces { return .success(name) }
            guard pattern.isNumbered else {
                return .failure(NoName(refusal: .deviceExists(name: name.text)))
            }
        }
        return .failure(NoName(refusal: .noNameLeft))
    }

    // MARK: Next certificates

    /// Gives a device its next certificate.
    ///
    /// - Parameters:
    ///   - fingerprint: Of the certificate it shows.
    ///   - name: What stands in that.
    ///   - request: The key to certify; may be the one it has.
    ///   - address: Where it asks from.
    /// - Returns: What was decided.
    /// - Throws: ``KeyServerError/storage(reason:)``; then nothing may be answered.
    func renew(
        _ fingerprint: String,
        named name: String,
        _ request: SigningRequest,
        from address: IPAddress?
    ) throws(KeyServerError) -> Outcome {
        try storage.transaction(.writing) { store throws(KeyServerError) in
            let now = now()
            guard let present = try store.certificate(fingerprint: fingerprint),
                let id = present.device, let device = try store.device(id: id),
                present.revokedAt == nil
            else {
                let refused = RegistrationRefusal.notRenewable
                return try refuse(refused, device: name, nil, from: address, at: now, in: store)
            }
            var refused = try refusal(of: device, from: address, at: now, in: store)
            let living = try store.certificates(ofDevice: id).filter { certificate in
                certificate.revokedAt == nil
                    && certificate.notAfter.milliseconds > now.milliseconds
            }
            if refused == nil,
                let answer = living.first(where: { $0.answers(request, after: present, at: now) })
            {
                return issued(answer.pem, to: device.name, token: nil)
            }
            if refused == nil, living.count >= Self.maximumCertificates {
                refused = .tooManyCertificates
            }
            if let refused {
                let name = device.name
                return try refuse(refused, device: name, nil, from: address, at: now, in: store)
            }
            let pem = try authority.certify(
                request,
                for: DeviceName(device.name),
                days: present.days
            )
            let info = try store.insert(pem, device: id, device.name, at: now)
            try store.append(
                AuditEntry(
                    "device.renew",
                    at: now,
                    [
                        "device": .text(device.name), "certificate": .text(info.fingerprint),
                        "was": .text(fingerprint), "until": .text(info.notAfter.date),
                        "address": address.map { .text("\($0)") },
                    ]
                )
            )
            return issued(pem.text, to: device.name, token: nil)
        }
    }

    // MARK: Both

    private func issued(_ pem: String, to device: String, token: String?) -> Outcome {
        let answer = CertificateAnswer(device: device, certificate: pem, authority: authorityPEM)
        return .issued(answer, token: token)
    }

    /// Whether a device would be talked to at all.
    private func refusal(
        of device: DeviceRecord,
        from address: IPAddress?,
        at now: Timestamp,
        in store: any StorageTransaction
    ) throws(KeyServerError) -> RegistrationRefusal? {
        let request = ReleaseRequest(device: device.name, address: address, keyNames: [])
        let facts = try ReleaseFacts(
            about: request,
            of: device,
            certificate: .registered(revokedAt: nil),
            in: store,
            now: now
        )
        return policy.refusal(ofAsker: request, facts).map { .release($0) }
    }

    private func refuse(
        _ refusal: RegistrationRefusal,
        device: String?,
        _ token: EnrolmentTokenRecord?,
        from address: IPAddress?,
        at now: Timestamp,
        in store: any StorageTransaction
    ) throws(KeyServerError) -> Outcome {
        try store.append(
            AuditEntry(
                token == nil ? "device.renew" : "device.enroll",
                at: now,
                [
                    "result": "refused", "code": .text(refusal.code),
                    "reason": .text(refusal.detail), "device": device.map { .text($0) },
                    "token": token.map { .text($0.id) },
                    "address": address.map { .text("\($0)") },
                ]
            )
        )
        return .refused(refusal, device: device, token: token?.id)
    }

    /// In time that does not depend on where they differ.
    private static func isEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        left.count == right.count && zip(left, right).reduce(0) { $0 | $1.0 ^ $1.1 } == 0
    }
}

extension CertificateRecord {
    /// For how many days it was given.
    fileprivate var days: Int {
        max(1, (notAfter.seconds - issuedAt.seconds + 43_200) / 86_400)
    }

    /// Whether it is what was answered to the same request before: for the same key, later than the
    /// one that is shown, and with half of its time to come.
    fileprivate func answers(
        _ request: SigningRequest,
        after present: CertificateRecord,
        at now: Timestamp
    ) -> Bool {
        fingerprint != present.fingerprint
            && issuedAt.milliseconds >= present.issuedAt.milliseconds
            && notAfter.seconds - now.seconds > (notAfter.seconds - issuedAt.seconds) / 2
            && SigningRequest.digest(ofCertificate: pem) == request.digest
    }
}
