internal import CPostgreSQL
internal import Database

/// A row of a result in binary form.
struct PostgreSQLRow: DatabaseRow {
    let result: OpaquePointer
    let row: Int32

    /// The types whose binary form is read here.
    ///
    /// `src/include/catalog/pg_type.dat`: bool, bytea, int8, int2, int4, text, float4, float8, varchar.
    static let types: Set<Oid> = [16, 17, 20, 21, 23, 25, 700, 701, 1043]

    func integer(_ column: Int32) -> Int {
        let bytes = bytes(column)
        guard let first = bytes.first else { return 0 }
        // Two's complement, the highest byte first, of 1, 2, 4 or 8 bytes.
        return bytes.dropFirst().reduce(Int(Int8(bitPattern: first))) { $0 << 8 | Int($1) }
    }

    func real(_ column: Int32) -> Double {
        let bytes = bytes(column)
        let bits = bytes.reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        switch bytes.count {
        case 8: return Double(bitPattern: bits)
        case 4: return Double(Float(bitPattern: UInt32(bits)))
        default: return 0
        }
    }

    func text(_ column: Int32) -> String { String(decoding: bytes(column), as: UTF8.self) }

    func blob(_ column: Int32) -> [UInt8] { Array(bytes(column)) }

    func isNull(_ column: Int32) -> Bool { PQgetisnull(result, row, column) == 1 }

    private func bytes(_ column: Int32) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(
            start: PQgetvalue(result, row, column),
            count: Int(PQgetlength(result, row, column))
        )
    }
}
