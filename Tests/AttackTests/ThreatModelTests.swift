import Foundation
import Testing

/// Every sentence of the tables in `docs/threat-model.md` names tests, and they exist.
@Suite struct `The threat model` {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    private func text() throws -> String {
        try String(
            contentsOf: Self.root.appendingPathComponent("docs/threat-model.md"),
            encoding: .utf8
        )
    }

    /// What is wrong with the rows of the tables whose last column is called "shown by".
    private func faults(in text: String) throws -> [String] {
        let names = try Self.testNames()
        var faults: [String] = []
        var isTable = false
        var count = 0
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            guard line.hasPrefix("|") else {
                isTable = false
                continue
            }
            if line.hasSuffix("| shown by |") { isTable = true }
            guard isTable, !line.hasSuffix("| shown by |"), !line.hasPrefix("| ---") else {
                continue
            }
            let cell = line.split(separator: "|").last ?? ""
            let parts = cell.split(separator: "`", omittingEmptySubsequences: false)
            let named = parts.enumerated().filter { $0.offset % 2 == 1 }.map { String($0.element) }
            if named.isEmpty { faults.append("no test: \(line)") }
            faults += named.filter { !names.contains($0) }.map { "no such test: \($0)" }
            count += 1
        }
        if count < 20 { faults.append("only \(count) rows were found") }
        return faults
    }

    /// The names of all test functions.
    private static func testNames() throws -> Set<String> {
        let tests = root.appendingPathComponent("Tests")
        let walk = FileManager.default.enumerator(at: tests, includingPropertiesForKeys: nil)
        var names: Set<String> = []
        while let file = walk?.nextObject() as? URL {
            guard file.pathExtension == "swift" else { continue }
            for line in try String(contentsOf: file, encoding: .utf8).split(separator: "\n") {
                let parts = line.split(separator: "`", maxSplits: 2)
                if parts.count == 3, parts[0].hasSuffix("func ") { names.insert(String(parts[1])) }
            }
        }
        return names
    }

    @Test func `names an existing test in every row`() throws {
        #expect(try faults(in: text()) == [])
    }

    @Test func `is refused with a name that is misspelt, or missing`() throws {
        let text = try text()
        let name = "is out of reach"
        #expect(
            try faults(in: text.replacing(name, with: "is out of rich"))
                .contains("no such test: is out of rich")
        )
        #expect(try !faults(in: text.replacing("`\(name)`", with: "a test")).isEmpty)
    }
}
