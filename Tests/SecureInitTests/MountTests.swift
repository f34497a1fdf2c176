import Foundation
import TestSupport
import Testing

@Suite(.requires(.root, .fuse, .executables), .serialized) struct `A mount` {
    private let sandbox: VolumeSandbox

    init() throws {
        sandbox = try VolumeSandbox()
    }

    @Test func `is refused without the capability, and nothing is made`() throws {
        let output = try sandbox.run(["true"], wrapper: ["setpriv", "--bounding-set=-sys_admin"])
        #expect(output.status == 71)
        #expect(output.errorText.contains("--device /dev/fuse --cap-add SYS_ADMIN"))
        #expect(output.errorText.contains("apparmor"))
        #expect(try sandbox.snapshot().isEmpty)
    }

    @Test func `is refused to an ordinary user, who is told of --user`() throws {
        chmod(sandbox.directory("key"), 0o644)
        chmod(sandbox.directory.path, 0o777)
        let output = try sandbox.run(
            ["true"],
            wrapper: ["setpriv", "--reuid=4711", "--regid=4711", "--clear-groups"]
        )
        #expect(output.status == 71)
        #expect(output.errorText.contains("--user"))
    }

    @Test func `is refused without /dev/fuse`() throws {
        let output = try sandbox.run(
            ["true"],
            wrapper: ["sh", "-c", "mount --bind /dev/null /dev/fuse; exec \"$@\"", "sh"]
        )
        // A device that is there and is none: the kernel refuses it when mounting.
        #expect([71, 74].contains(output.status))
        let hidden = try sandbox.run(
            ["true"],
            wrapper: [
                "sh", "-c", "mount -t tmpfs none /dev; mknod -m 666 /dev/null c 1 3; exec \"$@\"",
                "sh",
            ]
        )
        #expect(hidden.status == 71)
        #expect(hidden.errorText.contains("/dev/fuse cannot be opened"))
    }

    @Test func `is made neither over files nor in its own storage`() throws {
        try sandbox.directory.write("x", to: "decrypted/file")
        let full = try sandbox.run(["true"])
        #expect(full.status == 78)
        #expect(full.errorText.contains("not empty"))
        let nested = try sandbox.run(["--storage", "s", "--mount", "s/view", "true"])
        #expect(nested.status == 78)
        #expect(nested.errorText.contains("one in the other"))
    }
}
