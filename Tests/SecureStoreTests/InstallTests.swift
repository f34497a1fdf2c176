import Foundation
import TestSupport
import Testing

/// `make install`, into a directory.
@Suite(.requires(.executables, .tool("make"), .tool("python3"), .tool("mandoc"), .tool("man")))
struct `An installation` {
    private let place: TemporaryDirectory

    init() throws {
        place = try TemporaryDirectory()
        let output = try Subprocess.run(
            "make",
            ["-C", Fixtures.path("../.."), "install", "DESTDIR=\(place.path)", "PREFIX=/usr"]
        )
        try #require(output.status == 0, "\(output.errorText)")
    }

    private func page(_ name: String) throws -> String {
        let output = try Subprocess.run(
            "man",
            ["--warnings=w", "--local-file", place("usr/share/man/man1/\(name).1")],
            environment: ["PATH": "/usr/bin:/bin", "MANWIDTH": "200", "LC_ALL": "C.UTF-8"]
        )
        #expect(output.errorText == "")
        return output.text.split { $0.isWhitespace }.joined(separator: " ")
    }

    @Test func `has man pages that two formatters find nothing wrong with`() throws {
        for name in ["secure-init", "secure-store"] {
            let file = place("usr/share/man/man1/\(name).1")
            let lint = try Subprocess.run("mandoc", ["-T", "lint", "-W", "warning", file])
            #expect(lint.text + lint.errorText == "")
            #expect(lint.status == 0)
            #expect(try page(name).contains("EXIT STATUS"))
        }
        // The control: a page that has something wrong is told of.
        let broken = try String(
            contentsOfFile: place("usr/share/man/man1/secure-init.1"),
            encoding: .utf8
        ).replacing(".El\n", with: "")
        let lint = try Subprocess.run(
            "mandoc",
            ["-T", "lint", "-W", "warning", try place.write(broken, to: "broken.1")]
        )
        #expect(lint.status != 0)
    }

    @Test func `has man pages that leave out no option and no command`() throws {
        let initPage = try page("secure-init")
        let help = try Subprocess.run(Executables.secureInit, ["--help"]).text
        let options = help.matches(of: /(?m)^ {2}(-[-\w]+)/).map { String($0.1) }
        #expect(options.count > 40)
        for option in options { #expect(initPage.contains(" \(option) "), "\(option)") }

        let storePage = try page("secure-store")
        let dump = try Subprocess.run(Executables.secureStore, ["--experimental-dump-help"])
        let root = try #require(
            JSONSerialization.jsonObject(with: Data(dump.standardOutput)) as? [String: Any]
        )
        let command = try #require(root["command"] as? [String: Any])
        let commands = Self.leaves(of: command)
        #expect(commands.count > 50)
        for command in commands { #expect(storePage.contains(" \(command) "), "\(command)") }
        for option in ["--credentials dir", "--unused-since", "--encrypt file"] {
            #expect(storePage.contains(option))
        }
    }

    @Test func `has the executables, and completions for three shells`() throws {
        for name in ["secure-init", "secure-store"] {
            let output = try Subprocess.run(place("usr/bin/\(name)"), ["--version"])
            #expect(output.text.hasPrefix("\(name) "))
        }
        for file in [
            "bash-completion/completions/secure-store", "zsh/site-functions/_secure-store",
            "fish/vendor_completions.d/secure-store.fish",
        ] {
            let text = String(decoding: try place.read("usr/share/\(file)"), as: UTF8.self)
            #expect(text.contains("balena"), "\(file)")
        }
        let syntax = try Subprocess.run(
            "bash",
            ["-n", place("usr/share/bash-completion/completions/secure-store")]
        )
        #expect(syntax.status == 0, "\(syntax.errorText)")
    }

    /// The commands that do something, as they are typed.
    private static func leaves(of command: [String: Any]) -> [String] {
        guard let subcommands = command["subcommands"] as? [[String: Any]] else { return [""] }
        return subcommands.filter {
            $0["shouldDisplay"] as? Bool != false && $0["commandName"] as? String != "help"
        }
        .flatMap { one in
            leaves(of: one).map { rest in
                "\(one["commandName"] as? String ?? "") \(rest)"
                    .trimmingCharacters(in: .whitespaces)
            }
        }
    }
}

/// `scripts/check-commands`: pages and executables agree.
@Suite(.requires(.executables, .tool("python3")))
struct `The documentation's pages` {
    private let script = Fixtures.path("../../scripts/check-commands")

    @Test func `have people type only what exists`() throws {
        let output = try Subprocess.run(script)
        #expect(output.status == 0, "\(output.text)\(output.errorText)")
    }

    @Test(
        arguments: [
            "```sh\nprintf x |\n    secure-store env encrpt A\n```", "`secure-init --env-onyl`",
            "```sh\nsecure-store serve \\\n  --alow 192.0.2.0/24\n```", "`secure-store device ad`",
        ]
    )
    func `are found out where they do not`(text: String) throws {
        let directory = try TemporaryDirectory()
        let page = try directory.write("# A page\n\n\(text)\n", to: "page.md")
        let output = try Subprocess.run(script, [page])
        #expect(output.status == 1, "\(output.text)\(output.errorText)")
    }
}
