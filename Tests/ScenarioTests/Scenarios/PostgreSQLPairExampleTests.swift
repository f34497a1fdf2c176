import Foundation
import TestSupport
import Testing

/// `examples/postgres-pair`, as its page has it, with PostgreSQL and HAProxy of this machine's
/// distribution in the place of Docker Hub's.
@Suite(
    .requires(
        .docker,
        .executables,
        .tool("docker-compose"),
        .tool("curl"),
        .tool("psql"),
        .tool("haproxy")
    )
)
struct `The example of two servers on one PostgreSQL` {
    @Test func `gives keys by either server, revokes on both, and outlives its database's end`()
        throws
    {
        let directory = try TemporaryDirectory()
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("postgres-pair.sh").path
        let name = Docker.uniqueName("pair")
        let output = try Subprocess.run(
            "bash",
            [script, directory.path, name, Executables.secureStore],
            environment: Docker.environment.merging(["COMPOSE_PROJECT_NAME": name]) { $1 },
            timeout: 240
        )
        try #require(output.status == 0, "\(output.text)\(output.errorText)")
        let answers = output.text.split(separator: "\n").filter { $0.hasPrefix("answers") }
        #expect(
            answers == [
                "answers both: 200 200 200 200", "answers one stopped: 200 200 200 200",
                "answers revoked: 403 403 403 403", "answers database killed: 503 503 503 503",
                "answers database back: 200",
            ],
            "\(output.text)\(output.errorText)"
        )
        #expect(output.text.contains("entries in order"))
    }
}
