import Foundation
import KeyProtocol
import TestSupport
import Testing

@Suite(.requires(.root, .executables)) struct `Encrypted variables` {
    let directory: TemporaryDirectory

    init() throws {
        directory = try Sample.keyDirectory()
    }

    private func run(
        _ environment: [String: String],
        _ script: String,
        key: String = "key"
    ) throws -> Subprocess.Output {
        try InitProcess.run(
            ["--env-only", "--key-source", "file:\(directory(key))", "--", "sh", "-c", script],
            environment: environment
        )
    }

    @Test func `of the original program reach the command decrypted`() throws {
        let output = try run(["ENCRYPTED_TESTVAR": Sample.value], "printf %s \"$TESTVAR\"")
        #expect(output.status == 0)
        #expect(output.text == Sample.plaintext)
    }

    @Test func `of the new form reach the command decrypted`() throws {
        let (key, text) = Sample.generatedKey()
        try directory.write(text, to: "generated")
        let value = try Sample.encrypt("a=b\nc", as: "TWO", with: key)
        #expect(value.hasPrefix("v2."))
        let output = try run(["ENCRYPTED_TWO": value], "printf %s \"$TWO\"", key: "generated")
        #expect(output.text == "a=b\nc")
    }

    @Test func `win over an existing variable and are not handed on`() throws {
        let output = try run(
            ["ENCRYPTED_TESTVAR": Sample.value, "TESTVAR": "old", "OTHER": "kept"],
            "env"
        )
        let lines = output.text.split(separator: "\n")
        #expect(lines.filter { $0.hasPrefix("TESTVAR=") } == ["TESTVAR=\(Sample.plaintext)"])
        #expect(lines.contains("OTHER=kept"))
        #expect(!output.text.contains("ENCRYPTED"))
    }

    @Test func `can be empty text and a megabyte's neighbourhood`() throws {
        let key = try Sample.key(Sample.password)
        let long = String(repeating: "x", count: 60_000)
        let output = try run(
            [
                "ENCRYPTED_NONE": try Sample.encrypt("", as: "NONE", with: key),
                "ENCRYPTED_LONG": try Sample.encrypt(long, as: "LONG", with: key),
            ],
            "printf %s \"${NONE-unset}|$LONG\""
        )
        #expect(output.text == "|\(long)")
    }

    @Test(
        arguments: [
            ("not hexadecimal", "zz" + Sample.value.dropFirst(2), "neither hexadecimal"),
            ("an odd number of digits", "\(Sample.value.dropLast())", "neither hexadecimal"),
            ("too short", "00112233", "too short"),
            ("truncated", "\(Sample.value.dropLast(2))", "does not decrypt"),
            ("one bit flipped", "a" + Sample.value.dropFirst(), "does not decrypt"),
            ("empty", "", "empty"),
            ("new form, cut off", "v2.0011", "not of the form v2"),
            ("new form, not base64", "v2.00112233.***", "not of the form v2"),
        ]
    )
    func `that are bad refuse the start with their name`(
        fault: String,
        value: String,
        reason: String
    ) throws {
        let output = try run(["ENCRYPTED_TESTVAR": value], "echo started")
        #expect(output.status == 65)
        #expect(output.text.isEmpty, "the command must not start")
        #expect(output.errorText.contains("ENCRYPTED_TESTVAR: "))
        #expect(output.errorText.contains(reason))
        #expect(output.errorText.contains("exit=65 phase=decrypting"))
    }

    @Test func `under the wrong key refuse the start`() throws {
        try directory.write("another-password", to: "wrong")
        let output = try run(["ENCRYPTED_TESTVAR": Sample.value], "echo started", key: "wrong")
        #expect(output.status == 65)
        #expect(output.text.isEmpty)
        #expect(output.errorText.contains("ENCRYPTED_TESTVAR: the value does not decrypt"))
    }

    @Test func `without a name refuse the start`() throws {
        let output = try run(["ENCRYPTED_": Sample.value], "echo started")
        #expect(output.status == 65)
        #expect(output.errorText.contains("ENCRYPTED_: the name after ENCRYPTED_ is empty"))
    }

    @Test func `that hold a NUL refuse the start`() throws {
        // No encryption of ours makes one.
        try directory.write("nul", to: "nul")
        let output = try run(["ENCRYPTED_NUL": Sample.valueWithNUL], "echo started", key: "nul")
        #expect(output.status == 65)
        #expect(output.errorText.contains("ENCRYPTED_NUL: the decrypted value holds a NUL byte"))
    }

    @Test func `of the new form do not decrypt under another name`() throws {
        let (key, text) = Sample.generatedKey()
        try directory.write(text, to: "generated")
        let value = try Sample.encrypt("x", as: "ONE", with: key)
        let moved = try run(["ENCRYPTED_TWO": value], "echo started", key: "generated")
        #expect(moved.status == 65)
        #expect(moved.errorText.contains("ENCRYPTED_TWO: "))
        // The control: under its own name it does.
        let kept = try run(["ENCRYPTED_ONE": value], "echo started", key: "generated")
        #expect(kept.status == 0)
    }

    @Test func `of an unknown key say which was wanted and which came`() throws {
        let wanted = Sample.generatedKey()
        let arrived = Sample.generatedKey()
        try directory.write(arrived.text, to: "generated")
        let value = try Sample.encrypt("x", as: "ONE", with: wanted.key)
        let output = try run(["ENCRYPTED_ONE": value], "echo started", key: "generated")
        #expect(output.status == 65)
        let wantedID = try #require(wanted.key.generated?.id)
        let arrivedID = try #require(arrived.key.generated?.id)
        #expect(output.errorText.contains("key \(wantedID)"))
        #expect(output.errorText.contains("what arrived is \(arrivedID)"))
    }
}
