internal import AccessRules
internal import SwiftASN1
internal import X509

/// A name or address a server is called by.
struct HostName {
    /// As it stands in a certificate.
    let generalName: GeneralName

    /// Checks a name.
    ///
    /// - Parameter text: An IP address, or labels of letters, digits, hyphens and underscores.
    ///   Underscores are no host names by RFC 1123, but Docker Compose services have them.
    /// - Throws: ``KeyServerError/hostName(_:)``.
    init(_ text: String) throws(KeyServerError) {
        if let address = IPAddress(text) {
            generalName = .ipAddress(ASN1OctetString(contentBytes: address.bytes[...]))
            return
        }
        let labels = text.split(separator: ".", omittingEmptySubsequences: false)
        guard (1...253).contains(text.utf8.count), labels.allSatisfy(Self.isLabel),
            // All digits would be a mistyped address.
            labels.last?.utf8.allSatisfy({ (0x30...0x39).contains($0) }) == false
        else { throw .hostName(text) }
        generalName = .dnsName(text)
    }

    private static func isLabel(_ label: Substring) -> Bool {
        (1...63).contains(label.utf8.count) && label.first != "-" && label.last != "-"
            && label.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
                    true
                default: false
                }
            }
    }
}
