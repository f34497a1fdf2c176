internal import CPostgreSQL
internal import Database

/// Values in the form in which they travel.
///
/// Their types are left to the server, which knows the columns: so numbers go as text, which suits
/// every type of number, and texts and bytes go as they are, with their length.
struct StatementParameters {
    private let values: [[UInt8]?]
    private let lengths: [Int32]
    private let formats: [Int32]

    init(_ values: [DatabaseValue]) {
        self.values = values.map(Self.bytes)
        lengths = self.values.map { Int32(($0?.count ?? 1) - 1) }
        formats = values.map { value in
            switch value {
            case .text, .blob: 1
            case .null, .integer, .real: 0
            }
        }
    }

    /// Sends them to a prepared statement, and asks for a binary result.
    ///
    /// - Returns: 1 where it could be sent.
    ///
    /// C: `PQsendQueryPrepared`.
    func send(to statement: String, on connection: OpaquePointer) -> Int32 {
        // One block for all, so that one pointer's life covers every value's.
        let block = values.flatMap { $0 ?? [] }
        return block.withUnsafeBytes { block in
            var offset = 0
            let pointers = values.map { value -> UnsafePointer<CChar>? in
                guard let value else { return nil }
                defer { offset += value.count }
                return block.baseAddress?.advanced(by: offset).assumingMemoryBound(to: CChar.self)
            }
            return PQsendQueryPrepared(
                connection,
                statement,
                Int32(values.count),
                pointers,
                lengths,
                formats,
                1
            )
        }
    }

    /// Each with a zero byte behind it, which texts of numbers need and the lengths leave out.
    private static func bytes(of value: DatabaseValue) -> [UInt8]? {
        switch value {
        case .null: nil
        case .integer(let number): Array("\(number)\0".utf8)
        case .real(let number): Array("\(number)\0".utf8)
        // PostgreSQL has no U+0000; no name that is valid holds it, or what stands for it.
        case .text(let text): text.utf8.flatMap { $0 == 0 ? Array("\u{fffd}".utf8) : [$0] } + [0]
        case .blob(let bytes): bytes + [0]
        }
    }
}
