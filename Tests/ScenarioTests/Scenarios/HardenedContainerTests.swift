import TestSupport
import Testing

/// A container with as little as a volume takes, as `docs/docker.md` advises, and one that is full.
@Suite(.requires(.docker, .executables, .fuse, .tool("busybox")))
struct `A container with little power` {
    private static let hardened = [
        "--read-only", "--tmpfs", "/view:size=64k", "--cap-drop", "ALL", "--cap-add", "SYS_ADMIN",
        "--cap-add", "SETGID",
        "--security-opt", "no-new-privileges", "--security-opt", "apparmor=unconfined",
        "--device", "/dev/fuse", "--network", "none",
    ]

    // Weakened, for the control: the container's own files are writable, and the command keeps what
    // secure-init takes from it.
    private func container(
        processes: Int,
        isWeakened: Bool = false,
        _ script: String
    ) throws -> Container {
        let image = try Image.entrypoint(
            .scratch,
            [
                "--key-source", "env:KEY", "--storage", "/app/storage", "--config",
                "/app/encrypt.conf", "--mount", "/view/decrypted", "--read-only",
            ] + (isWeakened ? ["--keep-capabilities"] : []) + ["--"]
        )
        let options = Self.hardened.filter { !isWeakened || $0 != "--read-only" }
        return try Container(
            image.name,
            options: options + [
                "--pids-limit", "\(processes)", "--env", "KEY=\(Original.password)",
                "--volume", "\(Original.storage):/app/storage:ro",
                "--volume", "\(Original.configuration):/app/encrypt.conf:ro",
            ],
            ["sh", "-c", script]
        )
    }

    @Test func `shows the volume, and lets the command write nowhere else`() throws {
        let container = try container(
            processes: 64,
            "cat /view/decrypted/test1; touch /file || echo refused; umount /view/decrypted; exit 7"
        )
        #expect(try container.wait() == 7)
        #expect(container.log.contains("This is an encrypted test file"), "\(container.log)")
        #expect(container.log.contains("refused"))
        #expect(container.log.contains("Operation not permitted"))
        #expect(container.log.contains("volume unmounted"))
    }

    /// The control of the above.
    @Test func `would let it write and unmount, were it given more`() throws {
        let container = try container(
            processes: 64,
            isWeakened: true,
            "trap '' TERM; touch /file && echo written; umount /view/decrypted && echo taken away"
        )
        _ = try container.wait()
        #expect(container.log.contains("written"), "\(container.log)")
        #expect(container.log.contains("taken away"), "\(container.log)")
    }

    @Test(arguments: [1, 2, 3])
    func `does not start the command where there is no room for our processes`(
        _ processes: Int
    ) throws {
        let container = try container(processes: processes, "echo started")
        #expect(try container.wait() != 0)
        #expect(!container.log.contains("started\n"), "\(container.log)")
    }

    @Test func `ends in order with a full process table`() throws {
        let container = try container(processes: 40, "while sleep 600 & do :; done")
        #expect(try container.wait() != 0)
        #expect(container.log.contains("can't fork"), "the table was full: \(container.log)")
        #expect(container.log.contains("volume unmounted"), "\(container.log)")
    }
}
