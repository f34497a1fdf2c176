internal import Glibc
internal import Linux

/// What the kernel knows of this process, under the names that Prometheus' own clients use.
struct ProcessFigures {
    /// Bytes in memory; `nil` where the kernel does not say.
    var residentMemory: Int?

    /// Descriptors in use.
    var openDescriptors: Int?

    /// How many there may be.
    var maximumDescriptors: Int?

    /// Processor time used, in seconds.
    var processorSeconds: Double

    /// Asks.
    ///
    /// C: `getrlimit`, `clock_gettime` with `CLOCK_PROCESS_CPUTIME_ID`; `/proc/self/statm`,
    /// `/proc/self/fd`.
    init() {
        // The second number is what is resident, in pages.
        let statistics = try? SmallFile.read(path: "/proc/self/statm", limit: 4096)
        let numbers = statistics.map { String(decoding: $0, as: UTF8.self).split(separator: " ") }
        if let numbers, numbers.count > 1, let pages = Int(numbers[1]) {
            residentMemory = pages * Int(sysconf(Int32(_SC_PAGESIZE)))
        }
        // Reading the directory takes a descriptor itself.
        let names = try? StateFile.names(in: "/proc/self/fd")
        openDescriptors = names.map { max(0, $0.count - 1) }
        var limit = rlimit()
        if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 {
            maximumDescriptors = Int(clamping: limit.rlim_cur)
        }
        var time = timespec()
        _ = clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        processorSeconds = Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
