internal import CLinux
internal import Glibc

/// The arguments and the environment in the memory where the kernel put them.
///
/// `/proc/PID/environ` and `/proc/PID/cmdline` show that memory; overwriting it there is the only
/// way to take a secret out of them.
public enum InitialMemory {
    /// Hands over each entry of the environment, `NAME=VALUE` without the NUL, in order.
    public static func forEachVariable(_ body: (UnsafeRawBufferPointer) -> Void) {
        guard var entry = linux_environment() else { return }
        while let text = entry.pointee {
            body(UnsafeRawBufferPointer(start: text, count: strlen(text)))
            entry += 1
        }
    }

    /// Zeroes every entry of the environment and makes the C library see none.
    public static func eraseEnvironment() {
        guard var entry = linux_environment() else { return }
        while let text = entry.pointee {
            memset(text, 0, strlen(text))
            entry += 1
        }
        linux_clear_environment()
    }

    /// Overwrites an argument, so that a list of processes does not show it.
    ///
    /// - Parameter argument: A pointer into `CommandLine.unsafeArgv`, to where to begin.
    public static func erase(_ argument: UnsafeMutablePointer<CChar>) {
        memset(argument, Int32(UInt8(ascii: "x")), strlen(argument))
    }

    /// The path the program was executed by; nil when the kernel did not say.
    ///
    /// The corresponding C function is `getauxval` with `AT_EXECFN`.
    public static var executablePath: String? {
        linux_executable_path().map { String(cString: $0) }
    }
}
