internal import CLinux
internal import Glibc

/// An error number of the kernel's.
///
/// The corresponding C type is the value of `errno`.
public struct Errno: Error, RawRepresentable, Equatable, Hashable, Sendable {
    /// The number, positive.
    public let rawValue: Int32

    /// Wraps a number.
    public init(rawValue: Int32) {
        self.rawValue = rawValue
    }

    /// What the last failed call of this thread left.
    public static var current: Errno { Errno(rawValue: linux_errno()) }
}

extension Errno: CustomStringConvertible {
    /// The C library's sentence, such as `No such file or directory`.
    public var description: String {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
            guard let base = buffer.baseAddress,
                linux_describe_errno(rawValue, base, buffer.count) == 0
            else { return "error \(rawValue)" }
            return String(cString: base)
        }
    }
}

/// Gives the call's value, or throws what it left in `errno` when it returned -1.
///
/// - Parameters:
///   - retryOnInterrupt: Call again on `EINTR`. Not for `close`, whose descriptor is gone.
///   - call: One system call and nothing else; `errno` is the thread's.
/// - Returns: What the call returned, never -1.
/// - Throws: What the call left in `errno`.
public func valueOrErrno<Value: FixedWidthInteger>(
    retryOnInterrupt: Bool = true,
    _ call: () -> Value
) throws(Errno) -> Value {
    while true {
        let value = call()
        if value != -1 { return value }
        let errno = Errno.current
        guard retryOnInterrupt, errno == .interrupted else { throw errno }
    }
}
