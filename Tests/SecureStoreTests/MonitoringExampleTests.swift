import Foundation
import TestSupport
import Testing

@Suite(.requires(.tool("promtool"))) struct `The example rules and dashboard` {
    private let folder = Fixtures.path("../../examples/monitoring")

    private func text(_ path: String) throws -> String {
        try String(contentsOfFile: path, encoding: .utf8)
    }

    /// The names that the manual lists, which another test compares with the server's.
    private func exported() throws -> Set<String> {
        let manual = try text(Fixtures.path("../../docs/monitoring.md"))
        let names = manual.matches(of: /`((?:secure_store|process)_\w+)`/).map { String($0.1) }
        return Set(names + ["up"])
    }

    private func metrics(in expression: String) -> [String] {
        expression.matches(of: /\b(?:(?:secure_store|process)_\w+|up)\b/).map { match in
            String(match.0).replacing(/_(?:bucket|sum|count)$/, with: "")
        }
    }

    @Test func `are ones that Prometheus takes, and ring when they should`() throws {
        for arguments in [
            ["check", "rules", "rules.yml"], ["test", "rules", "rules_test.yml"],
            ["check", "config", "prometheus.yml"],
        ] {
            let output = try Subprocess.run("promtool", arguments, directory: folder)
            #expect(output.status == 0, "\(output.text)\(output.errorText)")
        }
        // The control, and a test for each alarm.
        let rules = try text("\(folder)/rules.yml")
        let tests = try text("\(folder)/rules_test.yml")
        let alerts = rules.matches(of: /alert: (\w+)/).map { String($0.1) }
        #expect(alerts.count > 10)
        for alert in alerts { #expect(tests.contains("alertname: \(alert)\n"), "\(alert)") }
        let broken = try TemporaryDirectory()
        try broken.write(rules.replacing("> 2\n", with: "> 2000\n"), to: "rules.yml")
        try broken.write(tests, to: "rules_test.yml")
        let output = try Subprocess.run(
            "promtool",
            ["test", "rules", "rules_test.yml"],
            directory: broken.path
        )
        #expect(output.status != 0, "the control")
    }

    @Test func `name only figures that the server has`() throws {
        let exported = try exported()
        let recorded = try text("\(folder)/rules.yml").replacing(/\bsecure_store:\S+/, with: "")
        let expressions = recorded.matches(of: /expr: (?:>-\n)?(.+)/).map { String($0.1) }
        #expect(expressions.count > 10)
        for expression in expressions + (try panels()) {
            for name in metrics(in: expression) {
                #expect(exported.contains(name), "\(name) in \(expression)")
            }
        }
    }

    @Test func `have an entry each in the manual`() throws {
        let manual = try text(Fixtures.path("../../docs/operations.md"))
        for match in try text("\(folder)/rules.yml").matches(of: /alert: (\w+)/) {
            #expect(manual.contains("| `\(match.1)` |"), "\(match.1)")
        }
    }

    @Test func `show expressions that Prometheus can read`() throws {
        let expressions = try panels()
        #expect(expressions.count > 15)
        let rules = expressions.enumerated().map { number, expression in
            let plain = expression.replacing("$__rate_interval", with: "5m")
                .replacing("$instance", with: ".+")
            return "      - record: panel_\(number)\n        expr: '\(plain)'\n"
        }
        let directory = try TemporaryDirectory()
        try directory.write(
            "groups:\n  - name: panels\n    rules:\n\(rules.joined())",
            to: "panels.yml"
        )
        let output = try Subprocess.run("promtool", ["check", "rules", directory("panels.yml")])
        #expect(output.status == 0, "\(output.text)\(output.errorText)")
    }

    private func panels() throws -> [String] {
        let data = try Data(contentsOf: URL(fileURLWithPath: "\(folder)/dashboard.json"))
        let dashboard = try JSONSerialization.jsonObject(with: data) as? [String: Any]
        let panels = try #require(dashboard?["panels"] as? [[String: Any]])
        return panels.flatMap { $0["targets"] as? [[String: Any]] ?? [] }
            .compactMap { $0["expr"] as? String }
    }
}
