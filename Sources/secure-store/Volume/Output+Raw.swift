internal import Glibc

extension Output {
    /// Writes bytes as they are, without keeping a copy.
    ///
    /// - Throws: ``CommandFailure`` where nobody reads any more.
    static func raw(_ bytes: UnsafeRawBufferPointer) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let part = UnsafeRawBufferPointer(rebasing: rest)
            let count = Glibc.write(1, part.baseAddress, part.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                throw CommandFailure(.inputOutput, "cannot write to standard output")
            }
            rest = rest.dropFirst(count)
        }
    }
}
