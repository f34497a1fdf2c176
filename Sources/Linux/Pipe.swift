internal import CLinux
internal import Glibc

/// A pipe, both ends closed on exec.
///
/// The corresponding C function is `pipe2`.
public struct Pipe: ~Copyable {
    /// The end to read from.
    public var readEnd: OwnedDescriptor
    /// The end to write to.
    public var writeEnd: OwnedDescriptor

    /// Opens a pipe whose ends block.
    public init() throws(Errno) {
        var ends: (read: Int32, write: Int32) = (-1, -1)
        _ = try valueOrErrno { linux_pipe(&ends.read, &ends.write) }
        readEnd = OwnedDescriptor(takingOwnershipOf: ends.read)
        writeEnd = OwnedDescriptor(takingOwnershipOf: ends.write)
    }

    /// Takes the ends apart.
    public consuming func ends() -> (read: Int32, write: Int32) {
        (readEnd.release(), writeEnd.release())
    }
}

extension OwnedDescriptor {
    /// Makes reads and writes give `EAGAIN` instead of waiting.
    ///
    /// The corresponding C function is `fcntl` with `O_NONBLOCK`.
    public borrowing func setNonblocking() throws(Errno) {
        try DescriptorFlags.setNonblocking(rawValue)
    }

    /// Reads once.
    ///
    /// - Returns: Bytes read; 0 at the end; nil when there is nothing now.
    ///
    /// The corresponding C function is `read`.
    public borrowing func readAvailable(
        into buffer: UnsafeMutableRawBufferPointer
    ) throws(Errno) -> Int? {
        let descriptor = rawValue
        do throws(Errno) {
            return try valueOrErrno { read(descriptor, buffer.baseAddress, buffer.count) }
        } catch .wouldBlock {
            return nil
        } catch {
            throw error
        }
    }

    /// Writes once.
    ///
    /// - Returns: Bytes written; nil when there is no room now.
    ///
    /// The corresponding C function is `write`.
    public borrowing func writeAvailable(_ bytes: UnsafeRawBufferPointer) throws(Errno) -> Int? {
        let descriptor = rawValue
        do throws(Errno) {
            return try valueOrErrno { write(descriptor, bytes.baseAddress, bytes.count) }
        } catch .wouldBlock {
            return nil
        } catch {
            throw error
        }
    }
}
