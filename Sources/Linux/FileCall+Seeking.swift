internal import CLinux
internal import Glibc

// Where a file has content.
extension FileCall {
    /// What is looked for in a file.
    public enum SeekTarget: Sendable {
        /// Content, or what cannot be told from it: `SEEK_DATA`.
        case data
        /// Nothing, which reads as zeros; the end of the file, too: `SEEK_HOLE`.
        case hole

        /// The kernel's number.
        ///
        /// - Parameter rawValue: As of `lseek`; nil for any other.
        public init?(rawValue: Int32) {
            switch rawValue {
            case linux_seek_data: self = .data
            case linux_seek_hole: self = .hole
            default: return nil
            }
        }

        fileprivate var rawValue: Int32 {
            switch self {
            case .data: linux_seek_data
            case .hole: linux_seek_hole
            }
        }
    }

    /// Finds the next data or hole of a file; its position moves.
    ///
    /// - Parameters:
    ///   - target: What.
    ///   - descriptor: Of the file.
    ///   - offset: From where on, in bytes.
    /// - Returns: Where it begins, at `offset` or behind; nil where there is none.
    /// - Throws: ``Errno``.
    ///
    /// The corresponding C function is `lseek` with `SEEK_DATA` or `SEEK_HOLE`.
    public static func find(
        _ target: SeekTarget,
        in descriptor: Int32,
        from offset: UInt64
    ) throws(Errno) -> UInt64? {
        do throws(Errno) {
            return UInt64(
                try valueOrErrno { lseek(descriptor, off_t(offset), target.rawValue) }
            )
        } catch .noSuchAddress {
            return nil
        }
    }
}
