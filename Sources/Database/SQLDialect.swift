/// Where databases say the same in different words.
public enum SQLDialect: Sendable {
    case sqlite
    case postgreSQL

    /// An aggregate: the texts of a column with commas between them, in any order; null for none.
    public func joined(_ column: String) -> String {
        switch self {
        case .sqlite: "group_concat(\(column), ',')"
        case .postgreSQL: "string_agg(\(column), ',')"
        }
    }
}
