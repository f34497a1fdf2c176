internal import Foundation

/// A PostgreSQL server of the tests' own: Debian's, in a private directory, of an unprivileged user.
///
/// It is stopped, and its directory removed, when the last reference goes or this process ends,
/// however it ends.
public final class PostgreSQLServer: @unchecked Sendable {
    // Unchecked: only the keeper changes, by tests that have the server to themselves.
    private let directory: TemporaryDirectory
    private var keeper: Subprocess
    private let names = NSLock()
    private var count = 0

    /// Where its sockets are.
    public let socketDirectory: String

    /// The TCP port on 127.0.0.1, where one was asked for.
    public let port: UInt16?

    /// One for every test that only needs a database, started for the first of them.
    public static func shared() throws -> PostgreSQLServer { try sharedResult.get() }

    private static let sharedResult = Result { try PostgreSQLServer() }

    /// Makes a cluster and starts it.
    ///
    /// - Parameters:
    ///   - settings: For `postgresql.conf`, a line each.
    ///   - access: `pg_hba.conf`, a line each; without any, all of this machine's users are trusted.
    ///   - listens: On a TCP port besides.
    ///   - encoding: Of its databases.
    ///   - files: Put into its data directory, by name; a `.key` for its eyes only.
    /// - Throws: `Subprocess.TimedOut` and ``Failed``, with what it said.
    public init(
        settings: [String] = [],
        access: [String] = ["local all all trust"],
        listens: Bool = false,
        encoding: String = "UTF8",
        files: [String: [UInt8]] = [:]
    ) throws {
        let directory = try TemporaryDirectory()
        self.directory = directory
        socketDirectory = directory.path
        port = listens ? try FreePort.any() : nil
        try directory.write(Self.script, to: "keeper", mode: 0o755)
        for (name, bytes) in files { try directory.write(bytes, to: "files/\(name)") }
        let lines =
            settings + [
                "unix_socket_directories = '\(directory.path)'",
                "listen_addresses = '\(listens ? "127.0.0.1" : "")'", "port = \(port ?? 5432)",
                "max_connections = 60", "shared_buffers = 16MB", "autovacuum = off",
            ]
        try directory.write(lines.joined(separator: "\n") + "\n", to: "settings")
        try directory.write(access.joined(separator: "\n") + "\n", to: "access")
        keeper = try Self.start(directory, encoding)
        try waitUntilReady()
    }

    /// What it did not do.
    public struct Failed: Error, CustomStringConvertible {
        /// Why.
        public let description: String
    }

    /// Makes an empty database.
    ///
    /// - Returns: The URL to reach it at, through the socket.
    public func makeDatabase() throws -> String {
        let name = names.withLock {
            count += 1
            return "store\(count)"
        }
        try execute("CREATE DATABASE \(name)", in: "postgres")
        return "postgres://postgres@/\(name)?host=\(socketDirectory)&port=\(port ?? 5432)"
    }

    /// Runs SQL as the superuser, with `psql`.
    ///
    /// - Returns: What came back, a row a line, columns separated by `|`.
    @discardableResult
    public func execute(_ sql: String, in database: String) throws -> String {
        let result = try Subprocess.run(
            "psql",
            [
                "-XqAt", "-v", "ON_ERROR_STOP=1", "-h", socketDirectory, "-p", "\(port ?? 5432)",
                "-U", "postgres", "-d", database, "-c", sql,
            ]
        )
        guard result.status == 0 else { throw Failed(description: result.errorText) }
        return result.text
    }

    /// Kills every process of it at once, as a loss of power does.
    public func kill() throws {
        try command("kill")
        try keeper.wait()
    }

    /// Stops every process of it where it is, or has them go on.
    public func freeze(_ freezes: Bool) throws {
        try command(freezes ? "freeze" : "thaw")
    }

    /// Starts it again, on what it left on disk.
    public func start() throws {
        keeper = try Self.start(directory, "")
        try waitUntilReady()
    }

    private func command(_ name: String) throws {
        let result = try Subprocess.run("sh", [directory("keeper"), name, directory.path])
        guard result.status == 0 else { throw Failed(description: result.errorText) }
    }

    private static func start(
        _ directory: TemporaryDirectory,
        _ encoding: String
    ) throws -> Subprocess {
        try Subprocess.start(
            "sh",
            [directory("keeper"), "keep", directory.path, "\(getpid())", encoding]
        )
    }

    private func waitUntilReady() throws {
        let answers = {
            (try? self.execute("SELECT 1", in: "postgres")) != nil || self.keeper.status != nil
        }
        guard waitUntil(timeout: 120, answers), keeper.status == nil else {
            throw Failed(description: "PostgreSQL did not start: \(keeper.text)\(keeper.errorText)")
        }
    }

    deinit {
        keeper.signal(SIGTERM)
        _ = try? keeper.wait()
    }

    /// The process that has the server for a child: PostgreSQL must not run as root, and must not
    /// outlive the tests.
    private static let script = """
        action=$1 dir=$2
        bin=$(find /usr/lib/postgresql -name initdb -printf '%h\\n' | sort -V | tail -n 1)
        processes() { echo "$(head -n 1 "$dir/data/postmaster.pid") $(ps -o pid= --ppid "$(head -n 1 "$dir/data/postmaster.pid")")"; }
        case $action in
            kill) kill -9 $(processes); exit ;;
            freeze) kill -STOP $(processes); exit ;;
            thaw) kill -CONT $(processes); exit ;;
        esac
        parent=$3 encoding=$4
        # A command, not a function: the process in the background is to be the server itself.
        own=env
        if [ "$(id -u)" = 0 ]; then
            chown postgres "$dir"
            own="setpriv --reuid=postgres --regid=postgres --clear-groups"
        fi
        if [ ! -d "$dir/data" ]; then
            $own "$bin/initdb" -D "$dir/data" -U postgres -E "$encoding" --locale=C --auth=trust -N || exit 1
            cat "$dir/settings" >>"$dir/data/postgresql.conf"
            cp "$dir/access" "$dir/data/pg_hba.conf"
            if [ -d "$dir/files" ]; then
                cp "$dir/files"/* "$dir/data/"
                [ "$(id -u)" != 0 ] || chown postgres "$dir"/data/*.*
                chmod 600 "$dir"/data/*.key 2>/dev/null
            fi
        fi
        rm -f "$dir/data/postmaster.pid"
        $own "$bin/postgres" -D "$dir/data" &
        server=$!
        trap 'kill -QUIT $server; wait $server; exit' TERM
        # Ends with whoever it is for, and with the server.
        while kill -0 "$parent" 2>/dev/null && kill -0 $server 2>/dev/null; do sleep 1 & wait $!; done
        kill -QUIT $server 2>/dev/null && wait $server && rm -rf "$dir"
        exit 1
        """
}
