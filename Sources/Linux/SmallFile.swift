internal import CLinux
internal import Glibc

/// A file read whole, up to a limit; nothing secret, for the bytes are not wiped.
public enum SmallFile {
    /// Reads a file.
    ///
    /// - Parameters:
    ///   - path: Relative to the current directory, or absolute.
    ///   - limit: Most bytes to read.
    /// - Returns: All there is.
    /// - Throws: `Errno`; `.fileTooLarge` where there is more.
    public static func read(path: String, limit: Int) throws(Errno) -> [UInt8] {
        let file = OwnedDescriptor(
            takingOwnershipOf: try valueOrErrno {
                linux_openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0)
            }
        )
        let chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: 4096, alignment: 1)
        defer { chunk.deallocate() }
        var contents: [UInt8] = []
        while let count = try file.readAvailable(into: chunk), count > 0 {
            guard contents.count + count <= limit else { throw .fileTooLarge }
            contents += chunk[..<count]
        }
        return contents
    }
}
