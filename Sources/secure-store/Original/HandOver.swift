internal import Glibc

/// Becomes `secure-init`, which knows the original's flags for devices.
enum HandOver {
    private static let name = "secure-init"

    /// Replaces this process.
    ///
    /// - Parameter arguments: Passed on as they are.
    /// - Throws: ``CommandFailure`` where `secure-init` is neither beside this executable nor in
    ///   `PATH`, or does not start.
    static func toSecureInit(_ arguments: [String]) throws -> Never {
        guard let path = find() else {
            throw CommandFailure(
                .configuration,
                "-decrypt and -local are secure-init's: put it beside secure-store or into PATH"
            )
        }
        var argv = ([path] + arguments).map { strdup($0) }
        argv.append(nil)
        signal(SIGPIPE, SIG_DFL)
        execv(path, argv)
        throw CommandFailure(.system, "cannot start \(path): \(String(cString: strerror(errno)))")
    }

    private static func find() -> String? {
        var directories: [String] = []
        if let own = executable(), let slash = own.lastIndex(of: "/") {
            directories.append(String(own[..<slash]))
        }
        if let path = getenv("PATH") {
            directories += String(cString: path).split(separator: ":").map(String.init)
        }
        return directories.map { "\($0)/\(name)" }.first { access($0, X_OK) == 0 }
    }

    private static func executable() -> String? {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink("/proc/self/exe", &buffer, buffer.count)
        guard count > 0 else { return nil }
        return String(decoding: buffer[..<count].map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
