public import Cryptography

/// One person's share of what opens a store, as it is printed and typed.
///
///     sss1-SET-INDEX-THRESHOLD-DATA-CHECKSUM
///
/// SET is 8 hexadecimal digits that tell the set from others; DATA the 32 bytes of the share, 64
/// digits in groups of 8; CHECKSUM the first 4 bytes of the SHA-256 of all before its hyphen, in
/// lower case. Upper case counts as lower.
public struct UnsealShare: Sendable {
    /// What every share begins with.
    public static let prefix = "sss1"

    /// Bytes in the longest text.
    public static let maximumCount = 128

    /// Which set it is of.
    public let set: String

    /// Which of the set: 1...255.
    public let index: Int

    /// How many of the set open the store.
    public let threshold: Int

    /// The share itself, 32 bytes.
    let data: SecretBytes

    private static let dataCount = 32
    private static let groupCount = 8
    private static let hyphen = UInt8(ascii: "-")

    /// Describes a share.
    init(set: String, threshold: Int, _ share: SecretSharing.Share) {
        self.set = set
        index = Int(share.index)
        self.threshold = threshold
        data = share.bytes
    }

    /// Reads a share.
    ///
    /// - Parameter text: As it was typed; spaces and a line's end around it do not count.
    /// - Throws: ``ShareFault/form``, ``ShareFault/checksum``.
    public init(_ text: SecretBytes) throws(ShareFault) {
        let text = Self.normalized(text)
        guard text.count <= Self.maximumCount,
            text.withUnsafeBytes({ $0.starts(with: "\(Self.prefix)-".utf8) })
        else { throw .form }
        let hyphens = text.withUnsafeBytes { bytes in
            bytes.indices.filter { bytes[$0] == Self.hyphen }
        }
        // Four before the data, seven within, one before the checksum.
        guard hyphens.count == 12, let last = hyphens.last,
            let checksum = try? text.slice(last + 1..<text.count).decodingHexadecimal(),
            checksum.isEqual(to: Self.checksum(of: text.slice(0..<last)))
        else { throw .checksum }
        let head = text.slice(0..<hyphens[3]).withUnsafeBytes {
            String(decoding: $0, as: UTF8.self)
        }
        .split(separator: "-")
        guard head.count == 4, head[1].count == 8, let index = Int(head[2]),
            let threshold = Int(head[3]), (1...SecretSharing.maximumCount).contains(index),
            let data = try? text.slice(hyphens[3] + 1..<last).decodingHexadecimal(),
            data.count == Self.dataCount
        else { throw .form }
        set = String(head[1])
        self.index = index
        self.threshold = threshold
        self.data = data
    }

    /// As it is printed.
    public var text: SecretBytes {
        let digits = data.withUnsafeBytes { Hexadecimal.encodeSecret($0) }
        var parts = [SecretBytes(copying: "\(Self.prefix)-\(set)-\(index)-\(threshold)".utf8)]
        for start in stride(from: 0, to: digits.count, by: Self.groupCount) {
            parts.append(SecretBytes(copying: CollectionOfOne(Self.hyphen)))
            parts.append(digits.slice(start..<start + Self.groupCount))
        }
        let body = SecretBytes.concatenating(parts)
        return .concatenating([
            body, SecretBytes(copying: CollectionOfOne(Self.hyphen)),
            Self.checksum(of: body).withUnsafeBytes { Hexadecimal.encodeSecret($0) },
        ])
    }

    /// The share as it is combined.
    var share: SecretSharing.Share {
        SecretSharing.Share(index: UInt8(index), bytes: data)
    }

    private static func checksum(of text: SecretBytes) -> SecretBytes {
        SHA256.digest(of: text).slice(0..<4)
    }

    /// Without space around it, and in lower case.
    private static func normalized(_ text: SecretBytes) -> SecretBytes {
        let range = text.withUnsafeBytes { bytes in
            let isWord = { (index: Int) in bytes[index] > UInt8(ascii: " ") }
            let start = bytes.indices.first(where: isWord) ?? 0
            return start..<max(start, (bytes.indices.last(where: isWord) ?? -1) + 1)
        }
        let word = text.slice(range)
        return SecretBytes(count: word.count) { lower in
            word.withUnsafeBytes { bytes in
                for index in bytes.indices {
                    let byte = bytes[index]
                    let isUpper = (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
                    lower[index] = isUpper ? byte | 0x20 : byte
                }
            }
        }
    }
}

extension SecretBytes {
    /// Hyphens between the digits do not count.
    fileprivate func decodingHexadecimal() throws(CryptographyError) -> SecretBytes {
        try Hexadecimal.decodeSecret(self, passingOver: "-")
    }
}
