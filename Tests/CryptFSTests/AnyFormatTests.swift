import Foundation
import Linux
import TestSupport
import Testing

@testable import CryptFS

/// The side towards the kernel, over a format of the tests' own.
///
/// Served by threads of this process,
/// which itself never touches the mount: clients are other processes.
@Suite(.requires(.fuse, .tool("python3")))
struct AnyFormatTests {
    @Test(arguments: [
        "directories", "appending", "truncating", "renaming_files", "rename_flags",
        "open_and_removed", "times", "large_directory", "many_open_files", "writing_only",
    ])
    func `a program finds what it may expect`(subject: String) throws {
        try withMount { mountPoint in
            try Client.run(
                "posix.py",
                [mountPoint, subject],
                environment: ["ENTRIES": "500"]
            )
        }
    }

    @Test func `random operations agree with a model`() throws {
        try withMount { mountPoint in
            let state = try TemporaryDirectory()
            for round in 0..<3 {
                try Client.run(
                    "fsx.py",
                    [mountPoint + "/file", state("model"), String(round), "400"]
                )
            }
        }
    }

    private func withMount(_ body: (String) throws -> Void) throws {
        let directory = try TemporaryDirectory()
        try FileManager.default.createDirectory(
            atPath: directory("storage"),
            withIntermediateDirectories: false
        )
        let mountPoint = try MountPoint(
            preparing: directory("mount"),
            storage: directory("storage")
        )
        let device = try MountPoint.openDevice()
        try mountPoint.mount(device: device, readOnly: false)
        let storage = directory("storage")
        let session = FilesystemSession(device: device, threadCount: 4) {
            () throws(Errno) in
            try Filesystem(
                format: PlainStorage(),
                root: try FileCall.open(path: storage, [.readOnly, .directory]),
                isReadOnly: false,
                isExclusive: true,
                // So few that directories are opened again and again.
                directoryLimit: 2
            ) as any RequestHandler
        }
        let ended = DispatchSemaphore(value: 0)
        let thread = Thread {
            do {
                try session.run {}
            } catch {
                Issue.record(error)
            }
            ended.signal()
        }
        thread.start()
        defer {
            _ = try? Subprocess.run("umount", [mountPoint.path])
            if ended.wait(timeout: .now() + 20) == .timedOut {
                Issue.record("the session did not end")
                try? mountPoint.unmount(lazily: true)
            }
        }
        try body(mountPoint.path)
    }
}
