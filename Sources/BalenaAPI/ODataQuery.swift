/// A request's target, as OData 4 and balena's API write it.
///
/// API: https://docs.balena.io/reference/api/overview, "Constructing API calls".
struct ODataQuery {
    /// The version of balena's model that the names here are of.
    static let version = "v7"

    /// As `device`.
    let resource: String

    /// One entry of it, by its number.
    var id: Int?

    /// What entries have to be.
    var filter: ODataFilter?

    /// Which fields are wanted.
    var fields: [String] = []

    /// At most so many entries, from one on, in the order of their numbers.
    var page: (first: Int, count: Int)?

    /// Path and query, percent-encoded.
    var target: String {
        var options: [(String, String)] = []
        if !fields.isEmpty { options.append(("$select", fields.joined(separator: ","))) }
        if let filter { options.append(("$filter", filter.text)) }
        if let page {
            options.append(("$orderby", "id asc"))
            options.append(("$top", "\(page.count)"))
            options.append(("$skip", "\(page.first)"))
        }
        let query = options.map { "\($0)=\(Self.encode($1))" }.joined(separator: "&")
        return "/\(Self.version)/\(resource)" + (id.map { "(\($0))" } ?? "")
            + (query.isEmpty ? "" : "?\(query)")
    }

    /// RFC 3986 §3.4: what could mean something in a query goes as `%XX`.
    private static func encode(_ text: String) -> String {
        var encoded = ""
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A:
                encoded.unicodeScalars.append(Unicode.Scalar(byte))
            case _ where "-._~'(),:/$".utf8.contains(byte):
                encoded.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                encoded += digits.count == 1 ? "%0\(digits)" : "%\(digits)"
            }
        }
        return encoded
    }
}

/// What entries have to be, as OData writes it.
struct ODataFilter {
    let text: String

    /// A field with this number: an entry that another belongs to.
    static func field(_ field: String, is number: Int) -> Self {
        Self(text: "\(field) eq \(number)")
    }

    /// A field with this text.
    static func field(_ field: String, is text: String) -> Self {
        Self(text: "\(field) eq \(literal(text))")
    }

    /// A field with one of these texts, of which there is one at least.
    static func field(_ field: String, isIn texts: [String]) -> Self {
        Self(text: "\(field) in (\(texts.map(literal).joined(separator: ",")))")
    }

    /// An entry that is linked to, with a field of this text.
    static func linked(_ link: String, _ field: String, is text: String) -> Self {
        Self(text: "\(link)/any(x:x/\(field) eq \(literal(text)))")
    }

    /// Both.
    static func && (one: Self, other: Self) -> Self {
        Self(text: "\(one.text) and \(other.text)")
    }

    /// OData 4.01 ABNF, `string`: quotes within are doubled.
    private static func literal(_ text: String) -> String {
        "'\(text.replacing("'", with: "''"))'"
    }
}
