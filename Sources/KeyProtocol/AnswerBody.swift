public import Cryptography
internal import JSONText

/// Bodies a key server answers with, the counterparts of what ``ServerAnswer`` reads.
public enum AnswerBody {
    /// Of `200` to `POST /v1/unlock`.
    ///
    /// - Parameters:
    ///   - keys: Every one is sent, with its older generations.
    ///   - older: Generated keys of earlier generations that the device asked for by id.
    ///   - lease: For how many seconds they are lent; nil or 0 for ever.
    ///   - token: In place of the one that the device has shown.
    /// - Returns: JSON.
    /// - Throws: ``WireError/json(_:)`` for a key that JSON cannot carry, or keys
    ///   longer than a body.
    public static func keys(
        _ keys: KeyBundle,
        older: [StoreKey] = [],
        lease: Int?,
        token: SecretBytes? = nil
    ) throws(WireError) -> SecretBytes {
        var json = JSONWriter()
        json.append(#"{"keys":"#)
        try appendObject(of: keys.names, to: &json) { name, json throws(WireError) in
            if let key = keys[name] { try append(key, to: &json) }
        }
        if !older.isEmpty {
            let byID = Dictionary(older.map { ($0.generated?.id ?? "", $0) }) { first, _ in first }
            json.append(#","older":"#)
            try appendObject(of: byID.keys.sorted(), to: &json) { id, json throws(WireError) in
                if let key = byID[id] { try append(key, to: &json) }
            }
        }
        let rotated = keys.names.filter { !keys.olderGenerations(of: $0).isEmpty }
        if !rotated.isEmpty {
            json.append(#","generations":"#)
            try appendObject(of: rotated, to: &json) { name, json throws(WireError) in
                json.append("[")
                for (index, key) in keys.olderGenerations(of: name).enumerated() {
                    if index > 0 { json.append(",") }
                    try append(key, to: &json)
                }
                json.append("]")
            }
        }
        if let token {
            json.append(#","token":"#)
            do throws(JSONError) {
                try json.append(quoting: token)
            } catch {
                throw .json(error)
            }
        }
        if let lease { json.append(#","lease":\#(lease)"#) }
        json.append("}")
        return try checked(json)
    }

    /// Of `201` to `GET /key`: the original's.
    ///
    /// - Parameter key: Sent as it is.
    /// - Returns: JSON.
    /// - Throws: ``WireError/json(_:)`` for a key that JSON cannot carry.
    public static func password(_ key: StoreKey) throws(WireError) -> SecretBytes {
        var json = JSONWriter()
        json.append(#"{"password":"#)
        try append(key, to: &json)
        json.append("}")
        return try checked(json)
    }

    /// Of `202`: a person has to approve.
    ///
    /// - Parameters:
    ///   - code: What the person sees on both sides.
    ///   - pollAfter: Seconds.
    /// - Returns: JSON.
    public static func pending(code: String, pollAfter: Int) -> SecretBytes {
        var json = JSONWriter()
        json.append(#"{"code":"#)
        json.append(quoting: code)
        json.append(#","poll_after":\#(pollAfter)}"#)
        return json.text
    }

    /// Of every 4xx and 5xx.
    ///
    /// - Parameters:
    ///   - code: A word for programs.
    ///   - message: A sentence for people, without secrets.
    /// - Returns: JSON.
    public static func error(code: String, message: String) -> SecretBytes {
        var json = JSONWriter()
        json.append(#"{"error":{"code":"#)
        json.append(quoting: code)
        json.append(#","message":"#)
        json.append(quoting: message)
        json.append("}}")
        return json.text
    }

    private static func append(_ key: StoreKey, to json: inout JSONWriter) throws(WireError) {
        do throws(JSONError) {
            try json.append(quoting: key.text)
        } catch {
            throw .json(error)
        }
    }

    private static func appendObject(
        of names: [String],
        to json: inout JSONWriter,
        _ appendValue: (String, inout JSONWriter) throws(WireError) -> Void
    ) throws(WireError) {
        json.append("{")
        for (index, name) in names.enumerated() {
            if index > 0 { json.append(",") }
            json.append(quoting: name)
            json.append(":")
            try appendValue(name, &json)
        }
        json.append("}")
    }

    private static func checked(_ json: JSONWriter) throws(WireError) -> SecretBytes {
        let text = json.text
        guard text.count <= UnlockLimits.maximumBodyCount else { throw .json(.tooLong) }
        return text
    }
}
