internal import Cryptography

/// A secret that is taken out once.
///
/// Settings are copied about; a reference to a secret among them would live as long as the last
/// copy. A deposit is shared by the copies, and empty once its secret was taken.
final class SecretDeposit {
    private var secret: SecretBytes?

    init(_ secret: SecretBytes) {
        self.secret = secret
    }

    /// The secret, the first time.
    func take() -> SecretBytes? {
        defer { secret = nil }
        return secret
    }
}
