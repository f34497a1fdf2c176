internal import Glibc
internal import Synchronization
internal import VolumeTransfer

/// A line on the terminal that says how far a transfer is, once it takes more than a second.
struct ProgressBar {
    private let task: Task<Void, Never>

    private static let interval = Duration.milliseconds(100)
    private static let width = 30

    /// Begins to draw, a second from now.
    static func start(_ progress: TransferProgress) -> ProgressBar {
        ProgressBar(
            task: Task {
                let clock = ContinuousClock()
                let beginning = clock.now
                try? await Task.sleep(for: .seconds(1))
                var isDrawn = false
                while !Task.isCancelled {
                    draw(progress, after: clock.now - beginning)
                    isDrawn = true
                    try? await Task.sleep(for: interval)
                }
                if isDrawn { write("\r\u{1b}[K") }
            }
        )
    }

    /// Takes the line away.
    func end() async {
        task.cancel()
        await task.value
    }

    private static func draw(_ progress: TransferProgress, after time: Duration) {
        let done = progress.doneBytes.load(ordering: .relaxed)
        let total = max(progress.totalBytes.load(ordering: .relaxed), done, 1)
        let files = progress.doneFiles.load(ordering: .relaxed)
        let allFiles = progress.totalFiles.load(ordering: .relaxed)
        let share = Double(done) / Double(total)
        let filled = Int(share * Double(width))
        let bar =
            String(repeating: "#", count: filled) + String(repeating: ".", count: width - filled)
        let seconds = Double(time.components.seconds) + Double(time.components.attoseconds) / 1e18
        // Every byte counts twice: written, and read back.
        let content = done / 2
        let rate = UInt64(Double(content) / max(seconds, 0.1))
        write(
            "\r[\(bar)] \(Int(share * 100)) %  \(files)/\(allFiles) files  "
                + "\(ByteCount.text(content))  \(ByteCount.text(rate))/s\u{1b}[K"
        )
    }

    private static func write(_ text: String) {
        let bytes = Array(text.utf8)
        _ = bytes.withUnsafeBytes { Glibc.write(2, $0.baseAddress, $0.count) }
    }
}

/// Numbers of bytes as a person reads them.
enum ByteCount {
    /// In the largest unit of which there is at least one.
    static func text(_ count: UInt64) -> String {
        let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"]
        var value = Double(count)
        var unit = 0
        while value >= 1024, unit < units.count - 1 {
            value /= 1024
            unit += 1
        }
        guard unit > 0 else { return "\(count) B" }
        let tenths = Int((value * 10).rounded())
        return "\(tenths / 10).\(tenths % 10) \(units[unit])"
    }
}
