internal import Foundation
public import Testing

/// Something of the machine that a test cannot do without.
public enum Requirement: Sendable, CustomStringConvertible {
    /// Effective user 0.
    case root

    /// `/dev/fuse`, and root to mount with.
    case fuse

    /// A Docker engine that answers.
    case docker

    /// A program in `PATH`.
    case tool(String)

    /// Control groups that can freeze a process: ``FrozenProcess``.
    case freezer

    /// The right to say what becomes of core dumps, for the whole machine.
    case corePattern

    /// The right to have the kernel drop its caches.
    case cacheDropping

    /// `dist/secure-init` and `dist/secure-store`, as `make build` leaves them.
    case executables

    /// What is missing, as a person would say it.
    public var description: String {
        switch self {
        case .root: "root"
        case .fuse: "/dev/fuse as root"
        case .docker: "a Docker engine"
        case .freezer: "writable control groups of the second version"
        case .corePattern: "a writable /proc/sys/kernel/core_pattern"
        case .cacheDropping: "a writable /proc/sys/vm/drop_caches"
        case .tool(let name): "the program \(name)"
        case .executables: "the built executables (make build)"
        }
    }

    var isMet: Bool {
        switch self {
        case .root: geteuid() == 0
        case .fuse: geteuid() == 0 && access("/dev/fuse", R_OK | W_OK) == 0
        case .docker: Self.dockerAnswers
        case .freezer: FrozenProcess.hierarchy != nil
        case .corePattern: access("/proc/sys/kernel/core_pattern", W_OK) == 0
        case .cacheDropping: access("/proc/sys/vm/drop_caches", W_OK) == 0
        case .tool(let name): Self.finds(name)
        case .executables:
            [Executables.secureInit, Executables.secureStore].allSatisfy(
                FileManager.default.isExecutableFile
            )
        }
    }

    private static let dockerAnswers =
        (try? Subprocess.run("docker", ["info"], timeout: 20))?.status == 0

    private static func finds(_ name: String) -> Bool {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        return path.split(separator: ":").contains { directory in
            FileManager.default.isExecutableFile(atPath: "\(directory)/\(name)")
        }
    }
}

/// Skips a test where something is missing; with `REQUIRE_ALL=1` lets it run, and so fail.
public struct RequirementTrait: TestTrait, SuiteTrait {
    let requirements: [Requirement]

    /// Suites hand the requirement on to their tests.
    public let isRecursive = true

    /// Skips with a line that says what is missing.
    public func prepare(for test: Test) async throws {
        let missing = requirements.filter { !$0.isMet }.map(\.description)
        guard !missing.isEmpty else { return }
        let message = "needs \(missing.joined(separator: ", "))"
        if ProcessInfo.processInfo.environment["REQUIRE_ALL"] == "1" {
            throw Missing(description: message)
        }
        try Test.cancel("\(message)")
    }

    private struct Missing: Error, CustomStringConvertible {
        let description: String
    }
}

extension Trait where Self == RequirementTrait {
    /// What of the machine the test cannot do without.
    public static func requires(_ requirements: Requirement...) -> RequirementTrait {
        RequirementTrait(requirements: requirements)
    }
}
