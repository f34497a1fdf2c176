internal import Cryptography

extension Administration {
    /// Gives a device a certificate.
    ///
    /// - Parameters:
    ///   - device: Its name, fleet and tags.
    ///   - days: How long the certificate is valid.
    ///   - replacing: Give a device that has a certificate another one. The old one stays valid,
    ///     fleet and tags stay as they are.
    ///   - deliver: Takes the credentials; where it fails, nothing has happened.
    /// - Returns: What the device needs.
    /// - Throws: ``KeyServerError``; ``KeyServerError/deviceExists(_:)``.
    public func addDevice(
        _ device: NewDevice,
        days: Int,
        replacing: Bool = false,
        deliver: (DeviceCredentials) throws(KeyServerError) -> Void = { _ in }
    ) throws(KeyServerError) -> DeviceCredentials {
        let credentials = try state.issueDevice(device.name, days: days)
        return try perform("device.add") { store, now throws(KeyServerError) in
            let found = replacing ? try store.device(named: device.name.text) : nil
            let id = if let found { found.id } else { try store.insert(device, at: now) }
            let info = try store.insert(
                credentials.certificate,
                device: id,
                device.name.text,
                at: now
            )
            try deliver(credentials)
            return (credentials, Self.fields(of: device, info))
        }
    }

    /// Adds many devices, all or none.
    ///
    /// - Parameters:
    ///   - devices: Their names, fleets and tags.
    ///   - days: How long the certificates are valid.
    ///   - deliver: Takes each one's credentials; where it fails, nothing has happened.
    /// - Throws: ``KeyServerError``; ``KeyServerError/deviceExists(_:)``.
    public func addDevices(
        _ devices: [NewDevice],
        days: Int,
        deliver: (DeviceName, DeviceCredentials) throws(KeyServerError) -> Void
    ) throws(KeyServerError) {
        try storage.transaction(.reading) { store throws(KeyServerError) in
            for device in devices where try store.device(named: device.name.text) != nil {
                throw .deviceExists(device.name.text)
            }
        }
        // Before the transaction, which keeps others waiting: most of the time goes into this. Each
        // piece of secret memory takes several of the 65,530 mappings that a process may have, so
        // none outlives its delivery.
        var added: [(device: NewDevice, certificate: String)] = []
        for device in devices {
            let credentials = try state.issueDevice(device.name, days: days)
            try deliver(device.name, credentials)
            added.append((device, credentials.certificate.text))
        }
        try storage.transaction(.writing) { store throws(KeyServerError) in
            let now = Timestamp.now
            for (device, certificate) in added {
                let id = try store.insert(device, at: now)
                let info = try store.insert(
                    SecretBytes(text: certificate),
                    device: id,
                    device.name.text,
                    at: now
                )
                try record("device.add", at: now, Self.fields(of: device, info), in: store)
            }
        }
    }

    /// Gives a device another certificate, and has those it had end.
    ///
    /// - Parameters:
    ///   - name: Whose.
    ///   - days: How long the certificate is valid.
    ///   - overlap: For how many seconds the old ones stay good.
    ///   - deliver: Takes the credentials; where it fails, nothing has happened.
    /// - Returns: What the device needs.
    /// - Throws: ``KeyServerError``; ``KeyServerError/noDevice(_:)``.
    public func rotateDevice(
        _ name: DeviceName,
        days: Int,
        overlap: Int = 0,
        deliver: (DeviceCredentials) throws(KeyServerError) -> Void = { _ in }
    ) throws(KeyServerError) -> DeviceCredentials {
        let credentials = try state.issueDevice(name, days: days)
        return try perform("device.rotate") { store, now throws(KeyServerError) in
            let device = try store.existingDevice(name.text)
            // Without an overlap, a clock that is set back must not bring the old ones back.
            let end =
                overlap == 0
                ? Timestamp.always : Timestamp(milliseconds: now.milliseconds + overlap * 1000)
            try store.revokeCertificates(ofDevice: device.id, at: end)
            let info = try store.insert(
                credentials.certificate,
                device: device.id,
                name.text,
                at: now
            )
            try deliver(credentials)
            return (
                credentials,
                [
                    "device": .text(name.text), "certificate": .text(info.fingerprint),
                    "overlap": overlap == 0 ? nil : .number(overlap),
                ]
            )
        }
    }

    /// Has a device get nothing from now on, on connections that are open too.
    ///
    /// - Throws: ``KeyServerError``; ``KeyServerError/noDevice(_:)``.
    public func revokeDevice(_ name: String) throws(KeyServerError) {
        try perform("device.revoke") { store, now throws(KeyServerError) in
            var device = try store.existingDevice(name)
            device.revokedAt = device.revokedAt ?? now
            try store.update(device)
            return ((), ["device": .text(name)])
        }
    }

    /// Takes a revocation back, and has policies count from now: what the device has had, and how
    /// long it was not seen.
    ///
    /// Certificates that ``rotateDevice(_:days:overlap:deliver:)`` ended
    /// stay ended.
    ///
    /// - Throws: ``KeyServerError``; ``KeyServerError/noDevice(_:)``.
    public func restoreDevice(_ name: String) throws(KeyServerError) {
        try perform("device.restore") { store, now throws(KeyServerError) in
            var device = try store.existingDevice(name)
            device.revokedAt = nil
            device.restoredAt = now
            try store.update(device)
            try store.forgetUsage(by: device.holder)
            return ((), ["device": .text(name)])
        }
    }

    /// Gives a device another name.
    ///
    /// Its certificates go on being its own.
    ///
    /// - Throws: ``KeyServerError``; ``KeyServerError/deviceExists(_:)``.
    public func renameDevice(_ name: String, to newName: DeviceName) throws(KeyServerError) {
        try perform("device.rename") { store, _ throws(KeyServerError) in
            var device = try store.existingDevice(name)
            device.name = newName.text
            try store.update(device)
            if newName.text != name {
                try store.moveGrants(ofDevice: name, to: newName.text)
                try store.movePolicy(ofDevice: name, to: newName.text)
            }
            return ((), ["device": .text(newName.text), "was": .text(name)])
        }
    }

    /// Changes to which fleet a device belongs, and its tags.
    ///
    /// - Parameters:
    ///   - name: Which device.
    ///   - fleet: `nil` leaves it; no label takes it out of its fleet.
    ///   - adding: Tags it gets.
    ///   - removing: Tags it loses.
    /// - Throws: ``KeyServerError``; ``KeyServerError/noDevice(_:)``.
    public func labelDevice(
        _ name: String,
        fleet: Label??,
        adding: [Label],
        removing: [Label]
    ) throws(KeyServerError) {
        try perform("device.label") { store, _ throws(KeyServerError) in
            var device = try store.existingDevice(name)
            if let fleet { device.fleet = fleet?.text }
            let tags = Set(device.tags).union(adding.map(\.text)).subtracting(removing.map(\.text))
            device.tags = tags.sorted()
            try store.update(device)
            return (
                (),
                [
                    "device": .text(name), "fleet": device.fleet.map { .text($0) },
                    "tags": .list(device.tags),
                ]
            )
        }
    }

    /// Forgets a device.
    ///
    /// Its certificates stay refused.
    ///
    /// - Throws: ``KeyServerError``; ``KeyServerError/noDevice(_:)``.
    public func removeDevice(_ name: String) throws(KeyServerError) {
        try perform("device.remove") { store, now throws(KeyServerError) in
            let device = try store.existingDevice(name)
            try store.revokeCertificates(ofDevice: device.id, at: now)
            try store.removeDevice(id: device.id)
            try store.moveGrants(ofDevice: name, to: nil)
            try store.movePolicy(ofDevice: name, to: nil)
            try store.forgetUsage(by: device.holder)
            return ((), ["device": .text(name)])
        }
    }

    /// Every device by name, with its certificates, the latest first.
    ///
    /// - Throws: ``KeyServerError``.
    public func listDevices() throws(KeyServerError) -> [DeviceListing] {
        try storage.transaction(.reading) { store throws(KeyServerError) in
            var list: [DeviceListing] = []
            for device in try store.devices() {
                let certificates = try store.certificates(ofDevice: device.id)
                list.append(DeviceListing(device: device, certificates: certificates))
            }
            return list
        }
    }

    /// One device.
    ///
    /// - Throws: ``KeyServerError``; ``KeyServerError/noDevice(_:)``.
    public func showDevice(_ name: String) throws(KeyServerError) -> DeviceListing {
        try storage.transaction(.reading) { store throws(KeyServerError) in
            let device = try store.existingDevice(name)
            return DeviceListing(
                device: device,
                certificates: try store.certificates(ofDevice: device.id)
            )
        }
    }

    private static func fields(
        of device: NewDevice,
        _ info: CertificateInfo
    ) -> [String: AuditEntry.Value?] {
        [
            "device": .text(device.name.text), "certificate": .text(info.fingerprint),
            "until": .text(info.notAfter.date), "fleet": device.fleet.map { .text($0.text) },
            "tags": device.tags.isEmpty ? nil : .list(device.tags.map(\.text)),
        ]
    }
}

/// A device and its certificates.
public struct DeviceListing: Equatable, Sendable {
    /// The device.
    public let device: DeviceRecord

    /// Its certificates, the latest first.
    public let certificates: [CertificateRecord]
}

extension DeviceStorage {
    /// The device of that name, which the operator expects to be there.
    func existingDevice(_ name: String) throws(KeyServerError) -> DeviceRecord {
        guard let device = try device(named: name) else { throw .noDevice(name) }
        return device
    }

    fileprivate func insert(
        _ device: NewDevice,
        at time: Timestamp
    ) throws(KeyServerError) -> Int {
        try insertDevice(
            named: device.name.text,
            fleet: device.fleet?.text,
            tags: device.tags.map(\.text),
            at: time
        )
    }

    /// Notes a certificate that a device was given.
    @discardableResult
    func insert(
        _ pem: SecretBytes,
        device: Int,
        _ name: String,
        at time: Timestamp
    ) throws(KeyServerError) -> CertificateInfo {
        let info = try CertificateInfo(pem: pem, source: name)
        try insert(
            CertificateRecord(
                fingerprint: info.fingerprint,
                device: device,
                pem: pem.text,
                issuedAt: time,
                notAfter: info.notAfter,
                revokedAt: nil
            )
        )
        return info
    }
}
