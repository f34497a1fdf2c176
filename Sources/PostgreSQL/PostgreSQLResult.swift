internal import CPostgreSQL
internal import Database

/// What came back of a statement.
///
/// C: `PGresult`.
final class PostgreSQLResult {
    let pointer: OpaquePointer

    init(takingOwnershipOf pointer: OpaquePointer) {
        self.pointer = pointer
    }

    deinit { PQclear(pointer) }

    /// Whether it is no statement's, but stands behind those of all that were sent together.
    var isEndOfPipeline: Bool { PQresultStatus(pointer) == PGRES_PIPELINE_SYNC }

    /// The server's word for what was done, such as `COMMIT`.
    ///
    /// C: `PQcmdStatus`.
    var command: String { String(cString: PQcmdStatus(pointer)) }

    /// Why the statement failed; `nil` where it did not.
    func failure(of operation: String) -> DatabaseError? {
        switch PQresultStatus(pointer) {
        case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_EMPTY_QUERY: return nil
        default: break
        }
        let code = field("C")
        let message = field("M")
        // https://www.postgresql.org/docs/current/errcodes-appendix.html
        switch code {
        case "23505": return .conflict(operation: operation)
        case "53100": return .diskFull
        case "55P03", "40P01", "40001": return .busy(operation: operation)
        // It shuts down, or is a standby now: another may have taken its place.
        case "57P01", "57P02", "57P03", "25006": return .unavailable(message: message)
        default: return .failed(operation: operation, code: code, message: message)
        }
    }

    /// A field of the error; of its message the first line only, since the others repeat values.
    private func field(_ name: Unicode.Scalar) -> String {
        PQresultErrorField(pointer, Int32(name.value)).map { String(cString: $0) } ?? ""
    }
}
