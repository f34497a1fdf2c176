internal import Linux

/// Where certificates can be read again while the server runs.
public struct CertificateFiles: Sendable {
    /// The files that are watched.
    let paths: [String]

    /// Reads them all.
    let load: @Sendable () throws(KeyServerError) -> ServerCertificates

    /// - Parameters:
    ///   - paths: The files that are watched.
    ///   - load: Reads them all.
    public init(
        paths: [String],
        load: @escaping @Sendable () throws(KeyServerError) -> ServerCertificates
    ) {
        self.paths = paths
        self.load = load
    }

    /// What tells a file from what took its place; `nil` for one that is not there.
    struct Stamp: Equatable {
        var identity: FileIdentity
        var size: UInt64
        var modified: FileTime
    }

    /// The files as they are now.
    var stamps: [Stamp?] {
        paths.map { path in
            guard let status = try? FileStatus(path: path) else { return nil }
            return Stamp(
                identity: status.identity,
                size: status.size,
                modified: status.modified
            )
        }
    }
}
