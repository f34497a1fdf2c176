internal import Cryptography
package import Linux

/// A file that is going to replace another: complete in itself, under a name of ours until then.
struct Draft {
    let file: SealedFile

    /// Its name in the storage's topmost directory.
    let name: FileName

    /// Which indices somebody has sealed or is about to: never again under this file's nonce.
    var claimed = SparseBitmap()

    /// Which blocks are in it: all of them whole, sealed, and written.
    var blocks = SparseBitmap()

    /// A claimed block was not written: nothing more can come of it than what is in it.
    var hasFailed = false
}

/// Names of files that are not the volume's yet.
///
/// None of them is any stored name of a volume: no
/// encoding has the full stop in front, obfuscation has a number there, and without encryption
/// there is the suffix.
package enum DraftName {
    private static let prefix = Array(".secure-store-".utf8)
    private static let suffix = Array(".draft".utf8)
    private static let digits = 32

    /// A name nobody has.
    package static func make() -> FileName {
        let random = Array(Hexadecimal.encode(RandomBytes.make(count: digits / 2)).utf8)
        guard let name = FileName(prefix + random + suffix) else {
            preconditionFailure("digits have no slash")
        }
        return name
    }

    /// Whether a stored name is of this form.
    package static func matches(_ name: some Collection<UInt8>) -> Bool {
        guard name.count == prefix.count + digits + suffix.count, name.starts(with: prefix)
        else { return false }
        let rest = name.dropFirst(prefix.count)
        return rest.prefix(digits).allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte)
        } && rest.dropFirst(digits).elementsEqual(suffix)
    }
}
