import Foundation
import TestSupport
import Testing

/// What is left when the power goes, at any moment, of what a program has synchronised.
@Suite(.requires(.fuse))
struct PowerLossTests {
    private static let long = String(repeating: "l", count: 200)

    /// What a program does.
    enum Scenario: String, CaseIterable {
        case overwriting
        case appending
        case truncating
        case replacing
        case removing
        case directories
        case longNames
        case movingIntoNewDirectories
        case holes
        case longAppends

        func run(_ program: inout Program) throws {
            switch self {
            case .overwriting: try overwrite(&program)
            case .appending: try append(&program)
            case .truncating: try truncate(&program)
            case .replacing: try replace(&program)
            case .removing: try remove(&program)
            case .directories: try changeDirectories(&program)
            case .longNames: try nameAtLength(&program)
            case .movingIntoNewDirectories: try moveAway(&program)
            case .holes: try leaveHoles(&program)
            case .longAppends: try appendMuch(&program)
            }
        }

        private func overwrite(_ program: inout Program) throws {
            try program.create("file")
            try program.append("file", count: 40_000)
            try program.synchronize("file")
            try program.write("file", at: 8192, count: 4096)
            try program.write("file", at: 21_000, count: 10)
            try program.synchronize("file")
            try program.write("file", at: 12_000, count: 9000)
        }

        private func append(_ program: inout Program) throws {
            try program.create("log")
            for count in [100, 5000, 4096, 30, 8192] {
                try program.append("log", count: count)
                try program.synchronize("log")
            }
            try program.append("log", count: 10_000)
            try program.append("log", count: 10)
        }

        private func truncate(_ program: inout Program) throws {
            try program.create("file")
            try program.append("file", count: 30_000)
            try program.synchronize("file")
            try program.truncate("file", to: 17_000)
            try program.synchronize("file")
            try program.truncate("file", to: 40_000)
            try program.truncate("file", to: 12_288)
            try program.synchronize("file")
            try program.truncate("file", to: 0)
            try program.append("file", count: 50)
        }

        private func replace(_ program: inout Program) throws {
            try program.create("file")
            try program.append("file", count: 9000)
            try program.synchronize("file")
            for count in [5000, 20_000] {
                try program.create("new")
                try program.append("new", count: count)
                try program.synchronize("new")
                try program.rename("new", to: "file")
                try program.synchronizeName("file")
            }
        }

        private func remove(_ program: inout Program) throws {
            for name in ["kept", "removed"] {
                try program.create(name)
                try program.append(name, count: 6000)
                try program.synchronize(name)
            }
            try program.link("kept", to: "other")
            try program.unlink("removed")
            try program.unlink("kept")
            try program.synchronizeName("other")
            try program.create("removed")
            try program.append("removed", count: 10)
        }

        private func changeDirectories(_ program: inout Program) throws {
            try program.makeDirectory("a")
            try program.makeDirectory("a/b")
            try program.create("a/b/file")
            try program.append("a/b/file", count: 5000)
            try program.synchronize("a/b/file")
            try program.makeDirectory("c")
            try program.removeDirectory("c")
            try program.makeDirectory("a/d")
            try program.create("a/d/unsynchronized")
        }

        private func nameAtLength(_ program: inout Program) throws {
            try program.create("file")
            try program.append("file", count: 5000)
            try program.synchronize("file")
            try program.rename("file", to: long)
            try program.rename(long, to: long + "2")
            try program.synchronizeName(long + "2")
            try program.rename(long + "2", to: "file")
            try program.create(long)
            try program.append(long, count: 10)
            try program.synchronize(long)
            try program.link(long, to: long + "3")
            try program.unlink(long)
        }

        private func moveAway(_ program: inout Program) throws {
            try program.create("file")
            try program.append("file", count: 5000)
            try program.synchronize("file")
            try program.makeDirectory("new")
            try program.makeDirectory("new/below")
            try program.rename("file", to: "new/below/file")
        }

        private func appendMuch(_ program: inout Program) throws {
            try program.create("log")
            try program.append("log", count: 10_000)
            try program.synchronize("log")
            try program.append("log", count: 140_000)
            try program.create("new")
            try program.append("new", count: 140_000)
            try program.append("new", count: 140_000)
        }

        private func leaveHoles(_ program: inout Program) throws {
            try program.create("file")
            try program.append("file", count: 10)
            try program.synchronize("file")
            try program.write("file", at: 50_000, count: 10)
            try program.synchronize("file")
            try program.write("file", at: 20_000, count: 5000)
        }
    }

    @Test(arguments: Scenario.allCases)
    func `what was synchronised is there, and nothing else makes it unreadable`(
        scenario: Scenario
    ) throws {
        let (states, found) = try record(scenario).faults()
        #expect(found.isEmpty, "\(states) states: \(found.sorted().joined(separator: "\n"))")
        #expect(states > 50)
    }

    /// The negative control.
    @Test func `without synchronising below, what was promised would be lost`() throws {
        let (_, found) = try record(.directories).withoutSynchronizing.faults()
        #expect(found.contains { $0.contains("a/b/file: lost") }, "\(found)")
    }

    /// What the format cannot give: it seals a block of 4096 bytes as 4128, in two pages of the disk.
    @Test(arguments: [Scenario.overwriting, .appending, .truncating])
    func `a synchronised block that is being sealed anew may become an error`(
        scenario: Scenario
    ) throws {
        let record = try record(scenario)
        let (_, found) = try record.log.visit { image, _ in
            try record.tree(image).files.values.flatMap { file in
                file.blocks.indices.filter { file.blocks[$0] == nil }.map { "block \($0)" }
            }
        }
        #expect(!found.isEmpty)
    }

    @Test(arguments: Scenario.allCases)
    func `with a journal no block of a synchronised file is an error`(scenario: Scenario) throws {
        let use = try RecordedUse(of: .gocryptfs, keepsJournal: true, by: scenario.run)
        let (states, found) = try use.faults(states: LongTests.areRun ? 100 : 1)
        #expect(found.isEmpty, "\(states) states: \(found.sorted().joined(separator: "\n"))")
        #expect(states > 50)
    }

    private func record(_ scenario: Scenario) throws -> RecordedUse {
        try RecordedUse(of: .gocryptfs, by: scenario.run)
    }
}
