import Foundation
import TestSupport
import Testing

/// `docs/operations.md` against the sources, by `scripts/check-lines`.
@Suite(.requires(.tool("python3"))) struct `The page of lines` {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../..").standardizedFileURL.path

    /// Compares a tree in which one file is another.
    private func check(_ path: String, _ edit: (String) -> String) throws -> Subprocess.Output {
        let tree = try TemporaryDirectory()
        let manager = FileManager.default
        try manager.createDirectory(atPath: tree("docs"), withIntermediateDirectories: true)
        try manager.copyItem(atPath: "\(Self.root)/Sources", toPath: tree("Sources"))
        let page = "docs/operations.md"
        try manager.copyItem(atPath: "\(Self.root)/\(page)", toPath: tree(page))
        try tree.write(edit(String(decoding: try tree.read(path), as: UTF8.self)), to: path)
        return try Subprocess.run("\(Self.root)/scripts/check-lines", [tree.path])
    }

    @Test func `has every line of the sources, and no other`() throws {
        let output = try check("docs/operations.md") { $0 }
        #expect(output.status == 0, "\(output.text)")
    }

    @Test func `is found wanting when a line is new, the page lacks one, or has one too many`()
        throws
    {
        let new = try check("Sources/SecureInit/Supervisor+Endings.swift") {
            $0.replacingOccurrences(of: "\"ending what", with: "\"a new line about what")
        }
        #expect(new.status == 1)
        #expect(new.text.contains("has no row for: a new line about what is left"))
        #expect(new.text.contains("no source has this line: ending what is left"))
        let value = try check("Sources/CryptFS/VolumeError.swift") {
            $0.replacingOccurrences(of: "is not a directory\"", with: "is no \\(kind)\"")
        }
        #expect(value.text.contains("has no row for: … is no …"))
        let lacking = try check("docs/operations.md") {
            $0.replacingOccurrences(of: "| `command started` |", with: "| nothing |")
        }
        #expect(lacking.text.contains("has no row for: command started"))
    }

    @Test func `has the words of every phase`() throws {
        let page = try String(contentsOfFile: "\(Self.root)/docs/operations.md", encoding: .utf8)
        let source = try String(
            contentsOfFile: "\(Self.root)/Sources/SecureInit/Phase.swift",
            encoding: .utf8
        )
        let cases = source.split(separator: "\n").filter { $0.hasPrefix("    case ") }
        #expect(cases.count == 8)
        for line in cases {
            let words = line.split(separator: " ")
            let word = words.last.map { $0.filter { $0 != "\"" } } ?? ""
            #expect(page.contains("| `\(word)` |"), "\(word)")
        }
    }
}
