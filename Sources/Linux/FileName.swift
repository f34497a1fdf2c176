/// One segment of a path, as the kernel takes it: no slash, no NUL inside, not empty, not `.` or
/// `..`.
///
/// The corresponding C type is `const char *`.
public struct FileName: Hashable, Sendable {
    // With the NUL, so that lending it to C copies nothing.
    private let terminated: [UInt8]

    /// Copies a segment; nil when it is none.
    ///
    /// - Parameter bytes: Without NUL; of any encoding and length.
    public init?(_ bytes: some Collection<UInt8>) {
        guard !bytes.isEmpty, !bytes.contains(0), !bytes.contains(UInt8(ascii: "/")) else {
            return nil
        }
        var terminated: [UInt8] = []
        terminated.reserveCapacity(bytes.count + 1)
        terminated.append(contentsOf: bytes)
        guard terminated != [0x2e], terminated != [0x2e, 0x2e] else { return nil }
        terminated.append(0)
        self.terminated = terminated
    }

    /// Length in bytes, the NUL not counted.
    public var count: Int { terminated.count - 1 }

    /// The bytes, without the NUL.
    public var bytes: ArraySlice<UInt8> { terminated.dropLast() }

    /// Lends the C string.
    public func withCString<Result, Failure: Error>(
        _ body: (UnsafePointer<CChar>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try terminated.withUnsafeBufferPointer { buffer throws(Failure) in
            // Never empty: there is the NUL.
            try buffer.withMemoryRebound(to: CChar.self) { text throws(Failure) in
                guard let start = text.baseAddress else { preconditionFailure("no NUL") }
                return try body(start)
            }
        }
    }
}

extension FileName: CustomStringConvertible {
    /// As text; what is not UTF-8 is replaced.
    public var description: String { String(decoding: bytes, as: UTF8.self) }
}
