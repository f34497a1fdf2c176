internal import CLinux

// Room for a file's content.
extension FileCall {
    /// What is done to a range of a file's room.
    public struct Allocation: OptionSet, Sendable {
        /// The kernel's number.
        public let rawValue: Int32

        /// Wraps a number.
        public init(rawValue: Int32) {
            self.rawValue = rawValue
        }

        /// The file's length stays: `FALLOC_FL_KEEP_SIZE`.
        public static let keepSize = Allocation(rawValue: linux_allocate_keep_size)
        /// The room is given back, zeros remain: `FALLOC_FL_PUNCH_HOLE`.
        public static let punchHole = Allocation(rawValue: linux_allocate_punch_hole)
        /// The range becomes zeros: `FALLOC_FL_ZERO_RANGE`.
        public static let zeroRange = Allocation(rawValue: linux_allocate_zero_range)
    }

    /// Takes room for a range of a file, or gives it back.
    ///
    /// - Throws: ``Errno/noSpace``; ``Errno/notSupported`` where the file system cannot.
    ///
    /// The corresponding C function is `fallocate`.
    public static func allocate(
        _ descriptor: Int32,
        at offset: UInt64,
        count: UInt64,
        _ allocation: Allocation
    ) throws(Errno) {
        _ = try valueOrErrno { linux_allocate(descriptor, allocation.rawValue, offset, count) }
    }
}
