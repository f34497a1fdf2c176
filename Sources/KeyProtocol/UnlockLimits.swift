internal import JSONText

/// The sizes that both sides of the protocol hold each other to.
///
/// Protocol: `docs/protocol.md`, "Limits".
public enum UnlockLimits {
    /// Longest body of a request or an answer, in bytes.
    public static let maximumBodyCount = JSONDocument.maximumCount

    /// Longest head of an answer (status line and header fields), in bytes.
    public static let maximumHeadCount = 16_384

    /// Most keys in one request or answer.
    public static let maximumKeys = 64

    /// Longest name a device gives itself, in bytes.
    public static let maximumDeviceCount = 128

    /// Longest boot id, in bytes.
    public static let maximumBootIDCount = 64

    /// Longest version, in bytes.
    public static let maximumVersionCount = 64

    /// Longest name of a key, in bytes: as ``KeyBundle/add(_:named:)`` has it.
    public static let maximumKeyNameCount = 128

    /// Longest text of the server's that is repeated in a message, in characters.
    public static let maximumShownCount = 200

    /// How long a device waits before it asks again whether it was approved, in seconds.
    public static let pollAfter = 1...60

    /// How long a server can keep a device from asking again, in seconds.
    public static let retryAfter = 1...300
}
