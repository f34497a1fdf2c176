import TestSupport
import Testing

@Suite(.requires(.executables)) struct `The key server does not start` {
    private let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
        try TestServer.prepare(directory)
    }

    private func serve(
        _ arguments: [String],
        state: String = "state",
        environment: [String: String] = [:]
    ) throws -> Subprocess.Output {
        var variables = ["PATH": "/usr/bin:/bin", "STORE_PASSWORD": "hunter2"]
        variables.merge(environment) { $1 }
        return try Subprocess.run(
            Executables.secureStore,
            [
                "serve", "--state", directory(state), "--listen", "127.0.0.1:0", "--admin-listen",
                "none",
            ] + arguments,
            environment: variables,
            timeout: 20
        )
    }

    private func expect(
        _ output: Subprocess.Output,
        _ status: Int32,
        _ parts: String...,
        at location: SourceLocation = #_sourceLocation
    ) {
        #expect(output.status == status, "\(output.errorText)", sourceLocation: location)
        for part in parts {
            #expect(
                output.errorText.contains(part),
                "\(output.errorText)",
                sourceLocation: location
            )
        }
        #expect(!output.errorText.contains("hunter2"), sourceLocation: location)
    }

    @Test func `without an authority, and says how to make one`() throws {
        expect(try serve([], state: "none"), 78, "secure-store ca init --state")
    }

    @Test func `without a key, and says how to give one`() throws {
        expect(
            try serve([], environment: ["STORE_PASSWORD": ""]),
            78,
            "STORE_PASSWORD",
            "--key-file"
        )
    }

    @Test func `with a key file that is missing, empty, too long or no key`() throws {
        expect(try serve(["--key-file", directory("none")]), 74, "No such file")
        expect(try serve(["--key-file", directory.write("", to: "empty")]), 78, "empty")
        expect(
            try serve([
                "--password-file", directory.write([UInt8](repeating: 65, count: 5000), to: "long"),
            ]),
            65,
            "larger than"
        )
        expect(try serve(["--key-file", directory.write("a\nb", to: "lines")]), 78, "lines")
        expect(try serve(["--key-file", directory.write([0xff], to: "binary")]), 78, "UTF-8")
    }

    @Test func `with two keys of one name`() throws {
        let file = try directory.write("x", to: "key")
        expect(try serve(["--key-file", "a=\(file)", "--key-file", "a=\(file)"]), 78, "key")
    }

    @Test func `with a certificate that is none, or another's key`() throws {
        let state = directory("state")
        let rubbish = try directory.write("rubbish", to: "rubbish.pem")
        let key = "\(state)/server-key.pem"
        let ca = "\(state)/ca.pem"
        expect(
            try serve(["--cert", rubbish, "--key", key, "--client-ca", ca]),
            78,
            "rubbish.pem"
        )
        expect(
            try serve([
                "--cert", "\(state)/server.pem", "--key", directory("kiosk/key.pem"),
                "--client-ca", ca,
            ]),
            78,
            "do not fit"
        )
        expect(
            try serve(["--cert", "\(state)/server.pem", "--key", key, "--client-ca", rubbish]),
            78,
            "no certificate"
        )
        expect(try serve(["--cert", "\(state)/server.pem"]), 64, "go together")
    }

    @Test func `with half of the variables, or what is no base64`() throws {
        expect(try serve([], environment: ["MTLS_CERT": "AAAA"]), 78, "MTLS_KEY")
        expect(
            try serve([], environment: ["MTLS_CERT": "?", "MTLS_KEY": "?"]),
            78,
            "no base64"
        )
    }

    @Test func `with rules that mean nothing`() throws {
        expect(try serve(["--allow", "10.0.0.1/8"]), 64, "did you mean 10.0.0.0/8")
        expect(try serve(["--deny", "nowhere"]), 64, "nowhere")
        expect(try serve(["--listen", "localhost:1"]), 64, "localhost:1")
    }

    @Test func `on an address that is taken, and says which`() throws {
        let server = try TestServer()
        expect(
            try serve(["--listen", "127.0.0.1:\(server.port)"]),
            69,
            "127.0.0.1:\(server.port)",
            "Address already in use"
        )
    }
}
