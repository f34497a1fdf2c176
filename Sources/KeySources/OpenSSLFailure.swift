internal import COpenSSL

/// What OpenSSL's error queue of this thread held: the first entry is the cause.
struct OpenSSLFailure: Error {
    /// Libraries and reasons, in the order they were queued.
    let entries: [(library: Int32, reason: Int32)]

    /// The first entry's reason in words.
    let text: String

    /// Takes everything out of the queue.
    ///
    /// C: `ERR_get_error`, `ERR_reason_error_string`.
    static func drained() -> OpenSSLFailure {
        var entries: [(library: Int32, reason: Int32)] = []
        var text = ""
        while true {
            let code = ERR_get_error()
            if code == 0 { break }
            entries.append((ERR_GET_LIB(code), ERR_GET_REASON(code)))
            if text.isEmpty, let reason = ERR_reason_error_string(code) {
                text = String(cString: reason)
            }
        }
        return OpenSSLFailure(entries: entries, text: text.isEmpty ? "no reason given" : text)
    }

    /// Whether this reason of the library's is among the entries.
    func has(_ reason: Int32, of library: Int32) -> Bool {
        entries.contains { $0.library == library && $0.reason == reason }
    }

    /// Whether this reason of libssl's is among the entries.
    func has(_ reason: Int32) -> Bool { has(reason, of: ERR_LIB_SSL) }

    /// The number of the alert the other side sent, if it sent one.
    ///
    /// C: `SSL_AD_REASON_OFFSET`.
    var alert: Int32? {
        for entry in entries
        where entry.library == ERR_LIB_SSL
            && (SSL_AD_REASON_OFFSET..<SSL_AD_REASON_OFFSET + 256).contains(entry.reason)
        {
            return entry.reason - SSL_AD_REASON_OFFSET
        }
        return nil
    }
}
