internal import CFuzzer
internal import Glibc

/// Hands every input that libFuzzer makes to the parser that `FUZZ_TARGET` names.
///
/// A trap, an invariant that does not hold, memory touched outside its bounds or an endless loop
/// stops the run and leaves the input in a file. Arguments are libFuzzer's.
@main
enum EntryPoint {
    static func main() {
        // The arguments live as long as the process, and only libFuzzer changes them.
        var count = CommandLine.argc
        var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = CommandLine.unsafeArgv
        let status = LLVMFuzzerRunDriver(&count, &arguments) { start, count in
            selected.run(UnsafeRawBufferPointer(start: start, count: count))
            return 0
        }
        exit(status)
    }
}

/// Chosen once: a run fuzzes one parser, with a corpus of its own.
private let selected: Target = {
    let name = getenv("FUZZ_TARGET").map { String(cString: $0) } ?? ""
    guard let target = Target(rawValue: name) else {
        fatalError("FUZZ_TARGET must be one of \(Target.allCases.map(\.rawValue))")
    }
    return target
}()

/// Stops the run: what was promised of every input does not hold for this one.
func invariant(_ holds: Bool, _ promise: StaticString) {
    guard holds else { fatalError("\(promise)") }
}
