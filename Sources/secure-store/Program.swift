internal import ArgumentParser
internal import Glibc

/// One run of the tool: arguments in, exit code out.
enum Program {
    /// Runs the command the arguments name.
    ///
    /// - Parameter arguments: Without the program's own name.
    /// - Returns: The exit code; see ``ExitStatus``.
    static func run(arguments: [String]) async -> Int32 {
        do {
            try await runCommand(arguments)
            return ExitStatus.success.rawValue
        } catch let code as ExitCode {
            return code.rawValue
        } catch let failure as CommandFailure {
            report(failure.message)
            return failure.status.rawValue
        } catch {
            if let status = ExitStatus(of: error) {
                report("\(error)")
                return status.rawValue
            }
            // Usage, help and the version, worded by the parser.
            let code = SecureStore.exitCode(for: error)
            let message = SecureStore.fullMessage(for: error)
            write(code.isSuccess ? 1 : 2, message)
            return code.rawValue
        }
    }

    /// Writes one line to standard error.
    static func report(_ message: String) {
        write(2, "secure-store: \(message)")
    }

    private static func runCommand(_ arguments: [String]) async throws {
        var arguments = arguments
        if let original = try OriginalArguments(arguments) {
            original.warnings.forEach(report)
            for (name, value) in original.environment { setenv(name, value, 1) }
            if original.handsOver { try HandOver.toSecureInit(arguments) }
            arguments = original.translated
        }
        var command = try SecureStore.parseAsRoot(arguments)
        if var asynchronous = command as? any AsyncParsableCommand {
            try await asynchronous.run()
        } else {
            try command.run()
        }
    }

    private static func write(_ descriptor: Int32, _ line: String) {
        guard !line.isEmpty else { return }
        let bytes = Array((line.hasSuffix("\n") ? line : line + "\n").utf8)
        _ = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
    }
}
