internal import Foundation

/// A directory of a test's own, removed with everything in it when the last reference goes.
public final class TemporaryDirectory: Sendable {
    /// The absolute path, without symbolic links.
    public let path: String

    /// Creates the directory under `base`.
    public init(in base: String = "/tmp") throws {
        var template = Array("\(base)/secure-store-test-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil, let real = realpath(template, nil) else {
            throw POSIXError(.init(rawValue: errno) ?? .EIO)
        }
        defer { free(real) }
        path = String(cString: real)
    }

    /// The path of something inside.
    public func callAsFunction(_ name: String) -> String { "\(path)/\(name)" }

    /// Creates or replaces a file inside.
    ///
    /// - Returns: Its path.
    @discardableResult
    public func write(
        _ contents: some Sequence<UInt8>,
        to name: String,
        mode: Int = 0o644
    ) throws
        -> String
    {
        let path = self(name)
        let parent = URL(fileURLWithPath: path).deletingLastPathComponent()
        try FileManager.default.createDirectory(at: parent, withIntermediateDirectories: true)
        try Data(contents).write(to: URL(fileURLWithPath: path))
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
        return path
    }

    /// Creates or replaces a text file inside; see ``write(_:to:mode:)``.
    @discardableResult
    public func write(_ text: String, to name: String, mode: Int = 0o644) throws -> String {
        try write(text.utf8, to: name, mode: mode)
    }

    /// Reads a file inside.
    public func read(_ name: String) throws -> [UInt8] {
        try Array(Data(contentsOf: URL(fileURLWithPath: self(name))))
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }
}
