import Cryptography
import Glibc
import KeyProtocol
import KeySources
import Linux
import TestSupport
import Testing

@Suite struct `Keys from files` {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    @Test(arguments: ["key", "key\n", "key\r\n"])
    func `lose the line break at their end and nothing else`(text: String) throws {
        let bundle = try KeyFile.read(path: directory.write(text, to: "key"))
        #expect(bundle.names == ["default"])
        #expect(bundle["default"]?.text.isEqual(to: secret("key")) == true)
    }

    @Test func `may be anything a line can be`() throws {
        let text = " a key\twith spaces ü "
        let bundle = try KeyFile.read(path: directory.write(text + "\n", to: "key"))
        #expect(bundle["default"]?.text.isEqual(to: secret(text)) == true)
    }

    @Test func `have at most 4096 bytes`() throws {
        let longest = String(repeating: "k", count: 4096)
        for end in ["", "\n", "\r\n"] {
            let bundle = try KeyFile.read(path: directory.write(longest + end, to: "key"))
            #expect(bundle["default"]?.text.count == 4096)
        }
        for end in ["k", "k\n", "k\r\n", String(repeating: "k", count: 100_000)] {
            let path = try directory.write(longest + end, to: "key")
            #expect(throws: KeySourceError.tooLong(.file(path: path))) {
                try KeyFile.read(path: path)
            }
        }
    }

    @Test func `are refused where they cannot be one`() throws {
        let path = directory("key")
        let origin = KeyOrigin.file(path: path)
        for (text, expected) in [
            ("", KeySourceError.empty(origin)), ("\n", .empty(origin)), ("\r\n", .empty(origin)),
            ("a\nb", .severalLines(origin)), ("a\n\n", .severalLines(origin)),
            ("a\u{0}b", .malformedKey(origin, .controlCharacter)),
            ("a\rb", .malformedKey(origin, .controlCharacter)),
        ] {
            try directory.write(text, to: "key")
            #expect(throws: expected) { try KeyFile.read(path: path) }
        }
    }

    @Test func `are regular files, and nothing is waited for`() throws {
        let pipe = directory("pipe")
        #expect(mkfifo(pipe, 0o600) == 0)
        #expect(throws: KeySourceError.notRegular(path: pipe, found: .pipe)) {
            try KeyFile.read(path: pipe)
        }
        for (path, kind) in [(directory.path, FileKind.directory), ("/dev/zero", .device)] {
            #expect(throws: KeySourceError.notRegular(path: path, found: kind)) {
                try KeyFile.read(path: path)
            }
        }
        let missing = directory("missing")
        #expect(throws: KeySourceError.cannotOpen(path: missing, .noSuchFile)) {
            try KeyFile.read(path: missing)
        }
    }

    @Test func `may be links, as mounted secrets are`() throws {
        try directory.write("key", to: "data/key")
        #expect(symlink("data/key", directory("key")) == 0)
        #expect(try KeyFile.read(path: directory("key")).names == ["default"])
    }
}

@Suite struct `Keys from descriptors` {
    @Test func `arrive in pieces, and reading never waits`() throws {
        let pipe = try TestPipe()
        var source = KeyDescriptor(pipe.reading)
        #expect(try source.readAvailable() == nil)
        pipe.write("hun")
        #expect(try source.readAvailable() == nil)
        pipe.write("ter2")
        #expect(try source.readAvailable() == nil)
        pipe.close()
        let bundle = try source.readAvailable()
        #expect(bundle?["default"]?.text.isEqual(to: secret("hunter2")) == true)
    }

    @Test func `end with their line, though the writer stays`() throws {
        let pipe = try TestPipe()
        var source = KeyDescriptor(pipe.reading)
        pipe.write("hunter2\n")
        let bundle = try source.readAvailable()
        #expect(bundle?["default"]?.text.isEqual(to: secret("hunter2")) == true)
    }

    @Test func `leave the descriptor's flags alone`() throws {
        let pipe = try TestPipe()
        var source = KeyDescriptor(pipe.reading)
        _ = try source.readAvailable()
        #expect(fcntl(pipe.reading, F_GETFL) & O_NONBLOCK == 0)
    }

    @Test func `can be files`() throws {
        let directory = try TemporaryDirectory()
        let number = open(try directory.write("k\n", to: "key"), O_RDONLY)
        defer { Glibc.close(number) }
        var source = KeyDescriptor(number)
        #expect(try source.readAvailable()?.names == ["default"])
    }

    @Test func `are refused where they hold no key`() throws {
        for (text, make) in [
            ("", KeySourceError.empty), ("\n", KeySourceError.empty),
            ("a\nb\n", KeySourceError.severalLines),
            (String(repeating: "a", count: 5000), KeySourceError.tooLong),
        ] {
            let pipe = try TestPipe()
            pipe.write(text)
            pipe.close()
            var source = KeyDescriptor(pipe.reading)
            let error = #expect(throws: KeySourceError.self) { _ = try source.readAvailable() }
            #expect(error == make(.descriptor(pipe.reading)))
        }
        var closed = KeyDescriptor(1_000_000)
        let error = #expect(throws: KeySourceError.self) { _ = try closed.readAvailable() }
        #expect(error == .cannotRead(.descriptor(1_000_000), .badDescriptor))
    }
}

private final class TestPipe {
    let reading: Int32
    private var writing: Int32

    init() throws {
        var ends: [Int32] = [-1, -1]
        _ = try valueOrErrno { pipe(&ends) }
        (reading, writing) = (ends[0], ends[1])
    }

    func write(_ text: String) {
        var text = text
        _ = text.withUTF8 { Glibc.write(writing, $0.baseAddress, $0.count) }
    }

    func close() {
        Glibc.close(writing)
        writing = -1
    }

    deinit {
        Glibc.close(reading)
        if writing >= 0 { Glibc.close(writing) }
    }
}
