/// Statements as PostgreSQL takes them.
enum StatementText {
    /// Numbers the placeholders, but for what stands in quotes: `?, ?` becomes `$1, $2`.
    static func numbered(_ sql: String) -> String {
        var text = ""
        text.reserveCapacity(sql.utf8.count + 16)
        var count = 0
        var isQuoted = false
        for character in sql {
            if character == "'" { isQuoted.toggle() }
            if character == "?", !isQuoted {
                count += 1
                text += "$\(count)"
            } else {
                text.append(character)
            }
        }
        return text
    }
}
