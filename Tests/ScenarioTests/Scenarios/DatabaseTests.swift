import Foundation
import TestSupport
import Testing

/// Databases that live on a volume, in a container that is killed while they work.
@Suite(
    .requires(.docker, .executables, .fuse, .tool("sqlite3"), .tool("setpriv"), .postgreSQL)
)
struct `A database on a volume` {
    /// The machine's own PostgreSQL and SQLite, in an image of the same distribution: nothing to
    /// fetch and nothing to build.
    private static let options =
        fuseOptions + ["--volume", "/usr:/usr:ro", "--env", "KEY=a key for tests only"]

    private let image: Image

    init() throws {
        image = try Image(
            dockerfile: try Base.distribution.dockerfile() + """
                RUN echo "database:x:70:70::/tmp:/bin/sh" >>/etc/passwd
                RUN echo "database:x:70:" >>/etc/group
                COPY secure-init database.sh /
                ENTRYPOINT ["/secure-init", "--key-source", "env:KEY", "--storage", "/storage", \
                    "--mount", "/decrypted", "--", "/database.sh"]

                """,
            files: [
                "database.sh": try String(
                    contentsOfFile: URL(fileURLWithPath: #filePath).deletingLastPathComponent()
                        .appendingPathComponent("database.sh").path,
                    encoding: .utf8
                )
            ]
        )
    }

    @Test(arguments: ["postgres", "sqlite"])
    func `is consistent after every kill of its container`(database: String) throws {
        let storage = NamedVolume()
        let container = try Container(
            image.name,
            options: Self.options + ["--volume", "\(storage.name):/storage"],
            [database]
        )
        for round in 1...3 {
            // Said once it is found whole and is under load.
            #expect(
                container.waitForLog(containing: "round \(round) under load", timeout: 60),
                "\(container.log)"
            )
            usleep(1_500_000)
            #expect(container.isRunning, "\(container.log)")
            try Docker.succeed("kill", "--signal", "KILL", container.name)
            #expect(try container.wait() == 137)
            try Docker.succeed("start", container.name)
        }
        #expect(container.waitForLog(containing: "round 4 under load"), "\(container.log)")
        let log = container.log
        #expect(log.components(separatedBy: "consistent").count == 4, "\(log)")
        #expect(try container.stop().code == 143)
    }
}

extension Requirement {
    /// Debian's PostgreSQL.
    fileprivate static var postgreSQL: Requirement { .tool("psql") }
}
