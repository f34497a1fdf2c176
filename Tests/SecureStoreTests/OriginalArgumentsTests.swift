import Testing

@testable import secure_store

@Suite struct `The original's command line` {
    private func translate(_ line: String) throws -> OriginalArguments? {
        try OriginalArguments(line.split(separator: " ").map(String.init))
    }

    @Test(arguments: [
        (
            "-generate-keys -hostname store.local -base64",
            "original generate-keys --hostname store.local --certificate-path ./cert.pem "
                + "--key-path ./key.pem --base64"
        ),
        (
            "-generate-keys -certificate-path keys/cert.pem -key-path keys/key.pem",
            "original generate-keys --hostname localhost --certificate-path keys/cert.pem "
                + "--key-path keys/key.pem"
        ),
        ("-new-key", "original new-key"),
        ("--new-key", "original new-key"),
        ("-new-key=true", "original new-key"),
        (
            "-server",
            "serve --listen 0.0.0.0:8443 --admin-listen none --cert ./cert.pem "
                + "--key ./key.pem --client-ca ./cert.pem --legacy"
        ),
        (
            "-server -port=9000 -certificate-path /c -key-path /k",
            "serve --listen 0.0.0.0:9000 --admin-listen none --cert /c --key /k --client-ca /c --legacy"
        ),
        ("-hostname h -new-key=false -new-key=T", "original new-key"),
        // What follows the first argument that is no flag is not looked at.
        ("-new-key run -server -bogus", "original new-key"),
        ("-new-key -- -bogus", "original new-key"),
    ])
    func `becomes commands`(original: String, translated: String) throws {
        let result = try #require(try translate(original))
        #expect(result.translated.joined(separator: " ") == translated)
        #expect(!result.handsOver)
        #expect(result.warnings.isEmpty)
        #expect(result.environment.isEmpty)
    }

    @Test func `keeps passwords out of the new command line`() throws {
        let string = try #require(try translate("-string value -password hunter2"))
        #expect(string.translated == ["original", "encrypt-string", "--", "value"])
        #expect(string.environment == ["STORE_PASSWORD": "hunter2"])
        #expect(string.warnings.count == 1)
        let content = try #require(
            try translate(
                "-encrypt-content ./source/. -config-path ./keys/e.conf -password hunter2"
            )
        )
        #expect(content.translated.prefix(2) == ["volume", "encrypt"])
        #expect(content.translated.contains("./source/."))
        #expect(content.translated.contains("./keys/e.conf"))
        #expect(!content.translated.contains("hunter2"))
        #expect(content.environment == ["STORE_PASSWORD": "hunter2"])
        #expect(content.warnings.count == 1)
        #expect(!content.warnings[0].contains("hunter2"))
    }

    @Test(arguments: [
        "-decrypt -hostname h ./start.sh", "-local pw -env-only ./start.sh", "-decrypt",
        "-path /app/decrypted -config-path ./encrypt.conf -decrypt -force-unmount -- sleep 1",
        "-decrypt -server",
    ])
    func `for devices goes to secure-init`(original: String) throws {
        let result = try #require(try translate(original))
        #expect(result.handsOver)
        #expect(result.translated.isEmpty)
    }

    @Test(arguments: [
        ("-string a -password b -generate-keys", "encrypt-string"),
        ("-encrypt-content a -string b -password c", "encrypt"),
        ("-generate-keys -new-key -server", "generate-keys"),
        ("-new-key -decrypt", "new-key"),
    ])
    func `has the original's order of precedence`(original: String, command: String) throws {
        #expect(try translate(original)?.translated[1] == command)
    }

    @Test(arguments: ["", "serve", "key new", "--help", "-h", "--version", "-x", "-", "--"])
    func `is not seen in ours`(line: String) throws {
        #expect(try translate(line) == nil)
    }

    @Test(arguments: [
        ("-server -bogus", "flag provided but not defined: -bogus"),
        ("-hostname", "flag needs an argument: -hostname"),
        ("-server=maybe", "invalid boolean value \"maybe\" for -server"),
        ("-string a", "-encrypt-content and -string need -password"),
        ("-encrypt-content a", "-encrypt-content and -string need -password"),
        ("-string a -password=", "-encrypt-content and -string need -password"),
    ])
    func `is refused where the original's would be`(line: String, message: String) {
        #expect {
            try translate(line)
        } throws: { error in
            guard let failure = error as? CommandFailure else { return false }
            return failure.status == .usage && failure.message == message
        }
    }

    @Test func `takes values with equals signs, spaces and dashes as they are`() throws {
        let result = try OriginalArguments(["-string", "-a=b c", "--password==x="])
        #expect(result?.translated.last == "-a=b c")
        #expect(result?.environment == ["STORE_PASSWORD": "=x="])
    }
}
