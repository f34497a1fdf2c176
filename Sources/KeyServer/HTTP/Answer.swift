internal import Cryptography
internal import HTTPTypes
internal import KeyProtocol
internal import NIOCore

/// An answer before it goes out.
struct Answer {
    var status: HTTPResponse.Status
    var fields: HTTPFields = [:]

    /// Of the body.
    var contentType = "application/json"

    /// What went wrong, in a word; `nil` where nothing did.
    var code: String?
    var body: SecretBytes

    /// Keys; no cache may keep them.
    static func keys(_ body: SecretBytes, status: HTTPResponse.Status) -> Answer {
        Answer(status: status, fields: [.cacheControl: "no-store"], body: body)
    }

    /// What went wrong.
    static func error(
        _ status: HTTPResponse.Status,
        code: String,
        message: String,
        fields: HTTPFields = [:]
    ) -> Answer {
        Answer(
            status: status,
            fields: fields,
            code: code,
            body: AnswerBody.error(code: code, message: message)
        )
    }

    /// The head as it is sent.
    var head: HTTPResponse {
        var fields = fields
        fields[.contentType] = contentType
        fields[.contentLength] = String(body.count)
        fields[.date] = Timestamp.now.httpDate
        return HTTPResponse(status: status, headerFields: fields)
    }

    /// The body as it is sent.
    ///
    /// What it holds is copied once, and ``ConnectionGuard`` wipes the copy when it has been sent.
    var buffer: ByteBuffer { body.withUnsafeBytes { ByteBuffer(bytes: $0) } }
}
