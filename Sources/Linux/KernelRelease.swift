internal import Glibc

/// A release of Linux, by its first two numbers.
public struct KernelRelease: Comparable, Sendable {
    let major: Int
    let minor: Int

    /// A release.
    public init(_ major: Int, _ minor: Int) {
        self.major = major
        self.minor = minor
    }

    /// Parses what the kernel says of itself.
    ///
    /// - Parameter text: Such as `6.18.44-generic`; nil for what begins otherwise.
    public init?(_ text: String) {
        let numbers = text.split(separator: ".", maxSplits: 2).map { $0.prefix { $0.isNumber } }
        guard numbers.count >= 2, let major = Int(numbers[0]), let minor = Int(numbers[1]) else {
            return nil
        }
        self.init(major, minor)
    }

    /// The running kernel's; nil where it says what nobody understands.
    ///
    /// The corresponding C function is `uname`.
    public static var current: KernelRelease? {
        var names = utsname()
        guard uname(&names) == 0 else { return nil }
        return withUnsafeBytes(of: &names.release) { text in
            KernelRelease(String(decoding: text.prefix { $0 != 0 }, as: UTF8.self))
        }
    }

    /// The earlier is the smaller.
    public static func < (left: KernelRelease, right: KernelRelease) -> Bool {
        (left.major, left.minor) < (right.major, right.minor)
    }
}
