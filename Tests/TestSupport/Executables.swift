internal import Foundation

/// The built executables under test.
public enum Executables {
    /// `secure-init`.
    public static let secureInit = "\(directory)/secure-init"

    /// `secure-store`.
    public static let secureStore = "\(directory)/secure-store"

    /// A program of the tests' own, built beside them.
    ///
    /// - Parameter name: Its target's.
    /// - Returns: Its path.
    public static func ofTests(_ name: String) -> String {
        let bundle =
            CommandLine.arguments.first { $0.hasSuffix(".xctest") } ?? CommandLine.arguments[0]
        return URL(fileURLWithPath: bundle).deletingLastPathComponent()
            .appendingPathComponent(name).path
    }

    /// `SECURE_STORE_DIST`, else `dist` in the repository.
    private static let directory: String =
        ProcessInfo.processInfo.environment["SECURE_STORE_DIST"]
        ?? URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("dist").path
}

/// Files that tests of several targets read.
public enum Fixtures {
    /// The absolute path of a file or folder in `Tests/Fixtures`.
    public static func path(_ name: String) -> String {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("Fixtures").appendingPathComponent(name).path
    }
}
