internal import Cryptography
internal import FoundationEssentials

internal import enum Crypto.P256

/// What checks a store's checkpoints: it is public, and is to be kept where the store is not.
public struct AuditPublicKey: Sendable {
    private let key: P256.Signing.PublicKey

    /// PEM, as OpenSSL reads it.
    public let pem: String

    /// Tells it from others: 16 hexadecimal digits.
    public let id: String

    /// Reads a key.
    ///
    /// - Parameters:
    ///   - pem: A P-256 public key.
    ///   - source: How an error names it.
    /// - Throws: ``KeyServerError/certificate(source:reason:)``.
    public init(pem: String, source: String) throws(KeyServerError) {
        do {
            self.init(try P256.Signing.PublicKey(pemRepresentation: pem))
        } catch {
            throw .certificate(source: source, reason: "no public key of 'audit key': \(error)")
        }
    }

    fileprivate init(_ key: P256.Signing.PublicKey) {
        self.key = key
        pem = key.pemRepresentation + "\n"
        let digest = key.derRepresentation.withUnsafeBytes { SHA256.digest(of: $0) }
        id = Hexadecimal.encode(digest.prefix(8))
    }

    /// Whether the checkpoint was signed with the key's other half, as it is.
    func verifies(_ checkpoint: AuditCheckpoint) -> Bool {
        guard checkpoint.key == id, let bytes = Data(base64Encoded: checkpoint.signature),
            let signature = try? P256.Signing.ECDSASignature(derRepresentation: bytes)
        else { return false }
        let message = AuditCheckpoint.message(checkpoint.place, at: checkpoint.time)
        return key.isValidSignature(signature, for: message)
    }
}

/// Signs checkpoints.
public struct AuditSigner: Sendable {
    private let key: P256.Signing.PrivateKey

    /// What checks them.
    public let publicKey: AuditPublicKey

    /// Draws a key.
    init() { self.init(P256.Signing.PrivateKey()) }

    /// Takes a key.
    ///
    /// - Parameter secret: 32 bytes, the private scalar.
    /// - Throws: ``KeyServerError/sealing(reason:)``.
    init(_ secret: SecretBytes) throws(KeyServerError) {
        do {
            self.init(
                try secret.withUnsafeBytes { try P256.Signing.PrivateKey(rawRepresentation: $0) }
            )
        } catch {
            throw .sealing(reason: "the audit log's key: \(error)")
        }
    }

    private init(_ key: P256.Signing.PrivateKey) {
        self.key = key
        publicKey = AuditPublicKey(key.publicKey)
    }

    /// The private scalar, 32 bytes.
    var secret: SecretBytes { key.rawRepresentation.withUnsafeBytes { SecretBytes(copying: $0) } }

    /// Signs the log up to a place.
    ///
    /// - Throws: ``KeyServerError/sealing(reason:)``.
    func sign(_ place: AuditPlace, at time: Timestamp) throws(KeyServerError) -> AuditCheckpoint {
        do {
            let message = AuditCheckpoint.message(place, at: "\(time)")
            let signature = try key.signature(for: message).derRepresentation
            return AuditCheckpoint(
                place: place,
                time: "\(time)",
                key: publicKey.id,
                signature: signature.base64EncodedString()
            )
        } catch {
            throw .sealing(reason: "the audit log's key: \(error)")
        }
    }
}

/// The key of the audit log as the store holds it.
public struct AuditKeyRecord: Equatable, Sendable {
    /// PEM.
    public let publicKey: String

    /// The private scalar, sealed; see ``KeyVault``.
    public let sealed: [UInt8]
}
