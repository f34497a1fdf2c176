internal import Cryptography
internal import HTTPTypes
internal import NIOCore

/// An answer before it goes out.
struct Answer {
    var status: HTTPResponse.Status
    var fields: HTTPFields = [:]
    var body: Body

    enum Body {
        case text(String)
        case secret(SecretBytes)
    }

    /// Keys.
    static func keys(_ body: SecretBytes, status: HTTPResponse.Status) -> Answer {
        Answer(status: status, fields: [.cacheControl: "no-store"], body: .secret(body))
    }

    /// `{"error":{"code":"…","message":"…"}}`.
    static func error(
        _ status: HTTPResponse.Status,
        code: String,
        message: String,
        fields: HTTPFields = [:]
    ) -> Answer {
        let body =
            #"{"error":{"code":\#(JSONString.encode(code)),"#
            + #""message":\#(JSONString.encode(message))}}"#
        return Answer(status: status, fields: fields, body: .text(body + "\n"))
    }

    /// The head as it is sent.
    var head: HTTPResponse {
        var fields = fields
        fields[.contentType] = "application/json"
        fields[.contentLength] = String(count)
        fields[.date] = Timestamp.now.httpDate
        return HTTPResponse(status: status, headerFields: fields)
    }

    /// The body as it is sent.
    ///
    /// What it holds is copied once, and ``ConnectionGuard`` wipes the copy when it has been sent.
    var buffer: ByteBuffer {
        switch body {
        case .text(let text):
            ByteBuffer(string: text)
        case .secret(let secret):
            secret.withUnsafeBytes { ByteBuffer(bytes: $0) }
        }
    }

    private var count: Int {
        switch body {
        case .text(let text): text.utf8.count
        case .secret(let secret): secret.count
        }
    }
}
