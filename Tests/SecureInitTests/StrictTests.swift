import Foundation
import KeyProtocol
import TestSupport
import Testing

@Suite(.requires(.root, .executables)) struct `A strict start` {
    /// Values by what they are; the test puts in what its key encrypts.
    enum Value: String {
        case newForm, original, foreign, cutOff
        case text = "hello"
        case hash = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
        case token = "v2.local.QAxIpVe-ECVNI1z4xQbm_qQYomyT3h8FtV8bxkz8pBJWkT8f7HtlOpbroPDEZUKop"
        case version = "v2.0.1"
        case shortForm = "v2.00112233.QAxIpVe"
    }

    let directory: TemporaryDirectory
    private let newForm: String
    private let original: String

    init() throws {
        let (key, text) = Sample.generatedKey()
        directory = try Sample.keyDirectory(text)
        newForm = try Sample.encrypt("sentinel-77e1", as: "X", with: key)
        original = try Sample.encrypt("sentinel-77e1", as: "X", with: key, form: .original)
    }

    private func text(_ value: Value) throws -> String {
        switch value {
        case .newForm: newForm
        case .original: original
        case .cutOff: String(newForm.prefix(20))
        // Of another key: nobody can tell it from any other hexadecimal digits.
        case .foreign: Sample.value
        default: value.rawValue
        }
    }

    private func run(
        _ environment: [String: String],
        _ options: [String] = ["--strict"]
    ) throws -> Subprocess.Output {
        try InitProcess.run(
            ["--env-only", "--key-source", "file:\(directory("key"))"] + options
                + ["--", "echo", "started"],
            environment: environment
        )
    }

    @Test(
        arguments: [
            ("ENCRYPTD_X", .newForm), ("ENCRYPTD_X", .original), ("ENCRYPTD_X", .text),
            ("ENCYRPTED_X", .text), ("ENCRPTED_X", .text), ("ENCRYPTEDD_X", .foreign),
            ("NCRYPTED_X", .text), ("encryptd_x", .text), ("ENCRYPTD-X", .text),
            ("ENCRYPTED-X", .newForm), ("ENCRYPTED.X", .original), ("ENCRYPTEDX", .foreign),
            ("encrypted_X", .foreign), ("Encrypted_X", .cutOff), ("ENCRYPT_X", .foreign),
            ("DECRYPTED_X", .cutOff), ("X", .newForm), ("X", .original), ("API_KEY", .newForm),
            ("x", .original),
        ] as [(String, Value)]
    )
    func `stops at what looks encrypted and is not named so`(
        name: String,
        value: Value
    ) throws {
        let output = try run([name: try text(value), "OTHER": "x"])
        #expect(output.status == 65)
        #expect(output.text.isEmpty)
        #expect(output.errorText.contains("would stay so: \(name) "), "\(output.errorText)")
        #expect(!output.errorText.contains(try text(value)))
        #expect(!output.errorText.contains("sentinel"))
        #expect(output.errorText.contains("exit=65"))
        // The control: without it, the command starts.
        #expect(try run([name: try text(value)], []).text == "started\n")
    }

    @Test(
        arguments: [
            ("ENCRYPTION_KEY", .text), ("ENCRYPTION_KEY", .hash), ("ENCRYPT_MODE", .text),
            ("ENCRYPTED", .text), ("ENCRYPTED", .foreign), ("encrypted_backup", .text),
            ("UNENCRYPTED_X", .text), ("DECRYPTED_DIR", .text), ("CRYPT_KEY", .hash),
            ("SHA256", .hash), ("SHA256", .foreign), ("TOKEN", .token), ("VERSION", .version),
            ("FORM", .shortForm), ("PATHS", .text), ("_", .text), ("EMPTY", .cutOff),
            ("SCRIPTED_X", .text), ("ENABLED_X", .text),
        ] as [(String, Value)]
    )
    func `goes on with all that only resembles it`(name: String, value: Value) throws {
        let output = try run([name: try text(value)])
        #expect(output.status == 0, "\(output.errorText)")
        #expect(output.text == "started\n")
    }

    @Test func `names every one, with the line of its file`() throws {
        try directory.write("A=1\nENCRYPTD_B=x\n", to: "some.env")
        let output = try run(
            ["ENCRYPTD_A": "x", "C": newForm],
            ["--strict", "--env-file", directory("some.env"), "--deliver", "D=file"]
        )
        #expect(output.status == 65)
        let lines = output.errorText.split(separator: "\n").filter { $0.contains("--strict") }
        try #require(lines.count == 1)
        #expect(lines[0].contains("ENCRYPTD_A may be a misspelt ENCRYPTED_"))
        #expect(lines[0].contains("ENCRYPTD_B (\(directory("some.env")), line 2) may be"))
        #expect(lines[0].contains("C holds an encrypted value"))
        #expect(lines[0].contains("--deliver names D, but there is no ENCRYPTED_D"))
    }

    @Test func `needs no key where there is nothing to decrypt`() throws {
        let output = try InitProcess.run(
            ["--env-only", "--strict", "echo", "started"],
            environment: ["ENCRYPTD_X": "x"]
        )
        #expect(output.status == 65)
    }

    @Test func `is what a warning stands in for, where it is certain`() throws {
        let output = try run(["API_KEY": newForm, "ENCRYPTD_X": "x"], ["--deliver", "D=file"])
        #expect(output.status == 0)
        #expect(output.errorText.contains("warning: API_KEY is encrypted and stays so"))
        #expect(output.errorText.contains("warning: --deliver names D, but there is no"))
        #expect(!output.errorText.contains("ENCRYPTD_X"))
        // The control.
        #expect(!(try run(["API_KEY": "x"], []).errorText.contains("warning")))
    }
}
