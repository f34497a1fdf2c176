internal import Cryptography
public import KeyProtocol

/// A key as it stands in a file, a pipe or a variable: one line.
public enum KeyText {
    /// Takes the key, without the line break at its end, under the name
    /// ``KeyBundle/defaultName``.
    ///
    /// - Parameters:
    ///   - text: The whole of what was found; the caller wipes it.
    ///   - origin: What it was found in.
    /// - Returns: A bundle of one key.
    /// - Throws: ``KeySourceError``.
    public static func bundle(
        _ text: UnsafeRawBufferPointer,
        from origin: KeyOrigin
    ) throws(KeySourceError) -> KeyBundle {
        var key = text[...]
        if key.last == lineFeed { key = key.dropLast() }
        if key.last == carriageReturn { key = key.dropLast() }
        guard !key.isEmpty else { throw .empty(origin) }
        guard key.count <= StoreKey.maximumCount else { throw .tooLong(origin) }
        guard !key.contains(lineFeed) else { throw .severalLines(origin) }
        do throws(KeyFormatError) {
            var bundle = KeyBundle()
            let secret = SecretBytes(copying: UnsafeRawBufferPointer(rebasing: key))
            try bundle.add(try StoreKey(secret), named: KeyBundle.defaultName)
            return bundle
        } catch {
            throw .malformedKey(origin, error)
        }
    }

    /// Longest text that can be a key: the key and CR LF.
    static let maximumCount = StoreKey.maximumCount + 2

    static let lineFeed = UInt8(ascii: "\n")
    private static let carriageReturn = UInt8(ascii: "\r")
}
