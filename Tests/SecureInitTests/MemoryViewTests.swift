import Foundation
import Linux
import TestSupport
import Testing

/// `--view memory` of the built executable, without a capability.
@Suite(.requires(.root, .executables, .tool("python3"), .tool("setpriv")))
final class `A view in memory` {
    private let directory: TemporaryDirectory
    private let view: String

    init() throws {
        directory = try Sample.keyDirectory()
        view = directory("view")
        try FileManager.default.createDirectory(
            atPath: view,
            withIntermediateDirectories: false
        )
        try #require(mount("tmpfs", view, "tmpfs", 0, "size=16m,mode=755") == 0)
    }

    deinit {
        umount2(view, Int32(MNT_DETACH))
    }

    private static let powerless = ["setpriv", "--bounding-set", "-all", "--inh-caps", "-all"]

    private func arguments(_ options: [String], _ command: [String]) -> [String] {
        ["--key-source", "file:\(directory("key"))", "--mount", view, "--view", "memory"]
            + options + ["--"] + command
    }

    private func run(_ options: [String], _ command: String...) throws -> Subprocess.Output {
        try InitProcess.run(
            arguments(options, command),
            wrapper: Self.powerless,
            directory: directory.path
        )
    }

    private func start(_ options: [String], _ script: String) throws -> InitProcess {
        try InitProcess(
            arguments(options, ["sh", "-c", script]),
            wrapper: Self.powerless,
            directory: directory.path
        )
    }

    private var entries: [String] {
        get throws { try FileManager.default.contentsOfDirectory(atPath: view) }
    }

    @Test func `notices what is written through mmap, which leaves no trace in the times`() throws {
        let write = try run(["--write-back"], "sh", "-c", "printf aaaa > view/file")
        #expect(write.status == 0, "\(write.errorText)")
        let program = """
            import mmap, os, subprocess
            with open('view/file', 'r+b') as file:
                with mmap.mmap(file.fileno(), 4) as memory:
                    memory[1:2] = b'b'
                    subprocess.run(['\(Executables.secureInit)', 'sync'], stdout=2, check=True)
                    before = os.stat('view/file').st_mtime_ns
                    memory[2:3] = b'b'
                    print(os.stat('view/file').st_mtime_ns == before)
            """
        let change = try run(["--write-back"], "python3", "-c", program)
        // The control: a comparison of times would have seen nothing.
        #expect(change.text == "True\n", "\(change.errorText)")
        #expect(change.errorText.contains("changes are written back: 1 written, 0 removed"))
        #expect(try run([], "cat", "view/file").text == "abba")
        #expect(try entries.isEmpty)
        let none = try run(["--write-back"], "true")
        #expect(none.errorText.contains("changes are written back: 0 written, 0 removed"))
    }

    @Test func `leaves extended attributes of what is stored alone`() throws {
        try directory.write("one", to: "plain/file")
        let name = try #require(FileName("user.note".utf8))
        let plain = try FileCall.open(path: directory("plain/file"), .readOnly)
        try "kept".utf8.withContiguousStorageIfAvailable { note in
            try ExtendedAttribute.write(name, of: plain.rawValue, .init(note), flags: 0)
        }
        for verb in [["create", "storage"], ["encrypt", "plain", "storage"]] {
            let output = try Subprocess.run(
                Executables.secureStore,
                ["volume"] + verb + ["--key-file", directory("key")],
                directory: directory.path
            )
            try #require(output.status == 0, "\(output.errorText)")
        }
        let write = try run(["--write-back"], "sh", "-c", "printf two > view/file")
        #expect(write.errorText.contains("1 written"), "\(write.errorText)")
        let output = try Subprocess.run(
            Executables.secureStore,
            ["volume", "decrypt", "storage", "again", "--key-file", directory("key")],
            directory: directory.path
        )
        #expect(output.status == 0, "\(output.errorText)")
        #expect(try String(contentsOfFile: directory("again/file"), encoding: .utf8) == "two")
        let again = try FileCall.open(path: directory("again/file"), .readOnly)
        var value = [UInt8](repeating: 0, count: 16)
        let count = try value.withUnsafeMutableBytes {
            try ExtendedAttribute.read(name, of: again.rawValue, into: $0)
        }
        #expect(value[..<count].elementsEqual("kept".utf8))
    }

    @Test func `is refused over what is somebody's, and beside another`() throws {
        try directory.write("theirs", to: "view/file")
        let full = try run(["--write-back"], "true")
        #expect(full.status == 78)
        #expect(full.errorText.contains("\(view) is not empty, and what is in it is none of ours"))
        #expect(try entries == ["file"])
        try FileManager.default.removeItem(atPath: directory("view/file"))

        let first = try start(["--write-back"], "echo mine > view/file; echo begun >&2; sleep 600")
        try first.process.waitForOutput(containing: "begun")
        let second = try run([], "true")
        #expect(second.status == 78)
        #expect(second.errorText.contains("another secure-init shows a volume at \(view)"))
        #expect(try entries.sorted() == [".secure-init-view", "file"])
        try first.signal(SIGTERM)
        #expect(try first.process.wait(timeout: 30).status == 143)
        #expect(try entries.isEmpty)
        #expect(try run([], "cat", "view/file").text == "mine\n")

        for options in [["--write-back", "--read-only"], ["--write-back", "--view", "mount"]] {
            let output = try run(options, "true")
            #expect(output.status == 64)
            #expect(output.errorText.contains("--write-back is for --view memory"))
        }
    }

    @Test func `is wiped by another process where its own is killed, or by the next`() throws {
        let first = try start(
            ["--write-back"],
            "echo precious > view/file; echo begun >&2; exec sleep 600"
        )
        try first.process.waitForOutput(containing: "begun")
        kill(try first.command(named: "secure-init-vol"), SIGKILL)
        let output = try first.process.wait(timeout: 30)
        #expect(output.status == 74, "\(output.errorText)")
        #expect(output.errorText.contains("the volume's process was killed by"))
        #expect(output.errorText.contains("volume wiped from memory"))
        #expect(try entries.isEmpty)

        // The view's process may see that nobody is there any more before the kernel kills it, and wipes.
        for _ in 0..<5 where try entries.isEmpty {
            let second = try start(
                ["--write-back"],
                "echo precious > view/file; echo begun >&2; exec sleep 600"
            )
            try second.process.waitForOutput(containing: "begun")
            try second.signal(SIGKILL)
            try second.process.wait(timeout: 30)
        }
        // As in a pod whose container is started again: the memory is still there.
        #expect(try entries.sorted() == [".secure-init-view", "file"])
        let third = try run([], "ls", "-A", "view")
        #expect(third.status == 0, "\(third.errorText)")
        #expect(third.text == ".secure-init-view\n")
        #expect(try entries.isEmpty)
    }

    @Test func `of a damaged volume is none, and nothing of it is left`() throws {
        let write = try run(
            ["--write-back"],
            "sh",
            "-c",
            "head -c 100000 /dev/zero > view/a; head -c 100000 /dev/zero > view/b"
        )
        #expect(write.status == 0)
        let storage = directory("storage")
        let name = try #require(
            try FileManager.default.contentsOfDirectory(atPath: storage)
                .first { !$0.hasPrefix("gocryptfs.") }
        )
        let file = try FileHandle(forUpdating: URL(fileURLWithPath: "\(storage)/\(name)"))
        try file.seek(toOffset: 50_000)
        try file.write(contentsOf: Data("damage".utf8))
        try file.close()
        let output = try run([], "echo", "started")
        #expect(output.status == 65, "\(output.errorText)")
        #expect(output.text.isEmpty)
        #expect(try entries.isEmpty)
    }

    @Test func `keeps what was stored when its process dies in the middle of storing`() throws {
        let write = try run(
            ["--write-back"],
            "sh",
            "-c",
            "for i in 1 2 3 4 5 6 7 8; do head -c 300000 /dev/zero > view/$i; done"
        )
        #expect(write.status == 0)
        for delay in [0, 20_000, 60_000, 120_000] as [UInt32] {
            let process = try start(
                ["--write-back"],
                """
                for i in 1 2 3 4 5 6 7 8
                do head -c 300000 /dev/zero | tr '\\0' x > view/$i; done
                mv view/8 view/nine; echo begun >&2; exec sleep 600
                """
            )
            try process.process.waitForOutput(containing: "begun")
            let worker = try process.command(named: "secure-init-vol")
            try process.signal(SIGTERM)
            usleep(delay)
            kill(worker, SIGKILL)
            try process.process.wait(timeout: 30)
            // Every file is the old one or the new one, whole; none is missing under both names.
            let check = try run(
                [],
                "sh",
                "-c",
                """
                cd view; for i in 1 2 3 4 5 6 7
                do wc -c < $i; tr -d '\\0' < $i | tr -d x | wc -c; done
                cat 8 nine 2>/dev/null | wc -c | awk '{ print ($1 >= 300000) }'
                """
            )
            let expected = String(repeating: "300000\n0\n", count: 7) + "1\n"
            #expect(check.text == expected, "\(check.errorText)")
        }
    }
}
