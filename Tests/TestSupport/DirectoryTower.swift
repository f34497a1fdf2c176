import Foundation
import Glibc

/// One directory in the other, deeper than a stack or the descriptors of a process would reach.
public struct DirectoryTower {
    private let base: String

    /// Builds one.
    ///
    /// - Parameters:
    ///   - base: The directory that gets it.
    ///   - levels: How deep.
    /// - Throws: `POSIXError`.
    public init(in base: String, levels: Int) throws {
        self.base = base
        var directory = open(base, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        for _ in 0..<levels {
            mkdirat(directory, "d", 0o700)
            let below = openat(directory, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
            close(directory)
            directory = below
        }
        guard directory >= 0 else { throw POSIXError(.init(rawValue: errno) ?? .EIO) }
        close(directory)
    }

    /// Removes it; what removes temporary directories would not come to its end.
    ///
    /// - Throws: What `rm` failed with.
    public func remove() throws {
        _ = try Subprocess.run("rm", ["-r", base + "/d"], timeout: 300)
    }
}
