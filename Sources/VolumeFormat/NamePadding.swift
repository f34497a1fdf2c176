/// PKCS#7 padding to whole cipher blocks, RFC 5652 §6.3.
enum NamePadding {
    private static let blockCount = 16

    /// Appends 1 to 16 bytes, each saying how many.
    static func pad(_ name: [UInt8]) -> [UInt8] {
        let missing = blockCount - name.count % blockCount
        return name + [UInt8](repeating: UInt8(missing), count: missing)
    }

    /// Removes the padding; nil when there is none.
    static func unpad(_ padded: [UInt8]) -> [UInt8]? {
        guard let last = padded.last, (1...blockCount).contains(Int(last)),
            padded.count >= Int(last), padded.suffix(Int(last)).allSatisfy({ $0 == last })
        else { return nil }
        return Array(padded.dropLast(Int(last)))
    }
}
