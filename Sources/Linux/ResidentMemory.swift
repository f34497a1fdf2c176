internal import CLinux

/// The memory this process has in use, as the kernel counts it.
public enum ResidentMemory {
    /// Gives back what a start needed and the time after it does not: code, which is mapped again
    /// from the page cache where it is executed again, and free heap.
    ///
    /// The corresponding C functions are `madvise` with `MADV_DONTNEED`, and `malloc_trim`.
    public static func shrink() {
        linux_trim_heap()
        linux_forget_code()
    }
}
