import Foundation
import TestSupport

/// The attacker's program; see `Tests/Attacker/main.c`.
enum Attacker {
    static let program = Executables.ofTests("attacker")

    /// The arguments with which it makes attempts.
    ///
    /// - Parameters:
    ///   - attempts: As ``Report`` names them.
    ///   - needles: What it looks for.
    ///   - path: What attempts on a path are made on.
    /// - Returns: What follows the program's name.
    static func arguments(
        _ attempts: [String],
        lookingFor needles: [[UInt8]],
        path: String = "-"
    ) -> [String] {
        // Inverted, so that it does not find its own arguments.
        let list = needles.map { $0.map { String(format: "%02x", ~$0) }.joined() }
        return ["try", list.joined(separator: ","), path] + attempts
    }

    /// Does something with the rights of the tests, such as `fault 4711`.
    @discardableResult
    static func run(_ arguments: String...) throws -> Subprocess.Output {
        try Subprocess.run(program, arguments)
    }
}

/// What came of attempts, each named `PROCESS:ATTEMPT`.
struct Report {
    private var results: [String: Int32] = [:]
    private let text: String

    init(_ output: String) {
        text = output
        for line in output.split(separator: "\n") {
            let fields = line.split(separator: " ")
            if fields.count == 2, fields[0].contains(":"), let number = Int32(fields[1]) {
                results[String(fields[0])] = number
            }
        }
    }

    /// 0 where it got what it was after, `ENODATA` where it got in and found nothing, else the error.
    ///
    /// - Throws: ``Missing`` where it was not tried.
    func result(of attempt: String) throws -> Int32 {
        guard let result = results[attempt] else {
            throw Missing(description: "\(attempt) was not tried; said was: \(text)")
        }
        return result
    }

    struct Missing: Error, CustomStringConvertible {
        let description: String
    }
}
