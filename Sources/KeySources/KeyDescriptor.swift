internal import Cryptography
public import KeyProtocol
internal import Linux

/// A descriptor the process was started with, that one key can be read from: a pipe, a file, a
/// terminal.
///
/// Reading never waits: the caller waits for the descriptor to become readable together with
/// whatever else it waits for. The descriptor's flags stay as they are, for they are shared with
/// whoever holds the other copies (`O_NONBLOCK` on a terminal would reach the shell); readiness is
/// asked for before every read instead. The descriptor stays open: closing it is the caller's.
public struct KeyDescriptor: ~Copyable {
    private let number: Int32
    private var text = SecretBuffer(capacity: KeyText.maximumCount + 1)

    /// Reads from this descriptor.
    ///
    /// - Parameter number: Open for reading, and read by nobody else.
    public init(_ number: Int32) {
        self.number = number
    }

    /// Takes what is there by now.
    ///
    /// The key ends with the first line break or with the end of the data, whichever comes first.
    ///
    /// - Returns: The key, under the name ``KeyBundle/defaultName``; nil while its end has not
    ///   arrived, and it makes sense to wait and call again.
    /// - Throws: ``KeySourceError``.
    public mutating func readAvailable() throws(KeySourceError) -> KeyBundle? {
        let origin = KeyOrigin.descriptor(number)
        guard try isComplete(origin) else { return nil }
        return try text.withUnsafeBytes { bytes throws(KeySourceError) in
            guard bytes.count <= KeyText.maximumCount else { throw .tooLong(origin) }
            return try KeyText.bundle(bytes, from: origin)
        }
    }

    /// Reads what is there; true once the key's end is among it.
    private mutating func isComplete(_ origin: KeyOrigin) throws(KeySourceError) -> Bool {
        let number = number
        do throws(Errno) {
            while try Readiness.isReadable(number) {
                let count = try text.append(reading: { buffer throws(Errno) in
                    try InputFile.read(number, into: buffer)
                })
                if count == 0 || text.withUnsafeBytes({ $0.contains(KeyText.lineFeed) }) {
                    return true
                }
            }
            return false
        } catch .wouldBlock {
            return false
        } catch {
            throw .cannotRead(origin, error)
        }
    }
}
