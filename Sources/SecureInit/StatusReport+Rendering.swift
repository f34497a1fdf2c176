internal import KeyProtocol
internal import Linux

// What a person, or a program, is shown.
extension StatusReport {
    /// One line of JSON; every member is always there, null where there is nothing to say.
    ///
    /// Members: `docs/operations.md`.
    var json: String {
        let members: [(String, JSONValue)] = [
            ("version", .text(version)),
            ("phase", .text(phase.rawValue)),
            ("since", .text(UniversalTime.text(millisecondsAgo: age))),
            ("for_ms", .number(age)),
            ("pid", .number(pid)),
            (
                "key",
                .object([
                    ("source", .optional(keySource)), ("ids", .array(keyIDs.map { .text($0) })),
                ])
            ),
            ("waiting", .optional(wait?.json)),
            ("fetcher", .optional(fetcher?.json)),
            ("volume", .optional(volume?.json)),
            (
                "command",
                .object([
                    ("name", .optional(command.name)), ("pid", .optional(command.pid)),
                    ("since", .optional(command.age.map(UniversalTime.text(millisecondsAgo:)))),
                    ("for_ms", .optional(command.age)),
                ])
            ),
            ("last_error", .optional(lastError?.json)),
        ]
        return JSONValue.object(members).text
    }

    /// Some lines for a person, without the last line's end.
    var text: String {
        var lines = ["phase       \(phase.rawValue) for \(Self.span(age))"]
        if let wait {
            var line = "waiting     "
            line += wait.cause.map(Self.shown) ?? "for the first answer"
            line += "; attempts: \(wait.attempts)"
            if let next = wait.next { line += ", the next in \(Self.span(max(next, 0)))" }
            lines.append(line)
        }
        if let keySource {
            let ids = keyIDs.isEmpty ? "" : ", id \(keyIDs.map(Self.shown).joined(separator: ", "))"
            lines.append("key         \(Self.shown(keySource))\(ids)")
        }
        if let fetcher {
            let pid = fetcher.pid.map { ", pid \($0)" } ?? ""
            lines.append("fetcher     restarts: \(fetcher.restarts)\(pid)")
        }
        if let volume {
            let isInMemory = volume.view == "memory"
            let state = isInMemory ? "in memory" : volume.isMounted ? "mounted" : "not mounted"
            let format = volume.format.map { ", format \(Self.shown($0))" } ?? ""
            let pid = volume.pid.map { ", pid \($0)" } ?? ""
            lines.append(
                "volume      \(Self.shown(volume.storage)) on \(Self.shown(volume.mountPoint)): "
                    + "\(state)\(format)\(pid)"
            )
            if let writer = volume.writer { lines.append("writer      \(Self.shown(writer))") }
        }
        if let pid = command.pid, let age = command.age {
            let name = command.name.map { "\(Self.shown($0)), " } ?? ""
            lines.append("command     \(name)pid \(pid), for \(Self.span(age))")
        } else if let name = command.name {
            lines.append("command     \(Self.shown(name)), not running")
        }
        if let error = lastError {
            lines.append(
                "last error  \(Self.shown(error.message)) (\(error.level), \(error.phase), "
                    + "\(Self.span(error.age)) ago)"
            )
        }
        lines.append("secure-init \(Self.shown(version)), pid \(pid)")
        return lines.joined(separator: "\n")
    }

    /// Nothing in it can move a terminal's cursor.
    static func shown(_ text: String) -> String {
        ShownText.make(text, limit: maximumTextCount)
    }

    /// A length of time for a person: its two largest units.
    static func span(_ milliseconds: Int64) -> String {
        guard milliseconds >= 1000 else { return "\(milliseconds) ms" }
        let seconds = milliseconds / 1000
        let units = [(86_400, "d"), (3600, "h"), (60, "min"), (1, "s")] as [(Int64, String)]
        let first = units.firstIndex { seconds >= $0.0 } ?? units.count - 1
        let (size, name) = units[first]
        let rest = seconds % size
        guard first + 1 < units.count, rest >= units[first + 1].0 else {
            return "\(seconds / size) \(name)"
        }
        return "\(seconds / size) \(name) \(rest / units[first + 1].0) \(units[first + 1].1)"
    }
}

extension StatusReport.Wait {
    fileprivate var json: JSONValue {
        .object([
            ("cause", .optional(cause)), ("attempts", .number(attempts)),
            ("next_ms", .optional(next)),
        ])
    }
}

extension StatusReport.Fetcher {
    fileprivate var json: JSONValue {
        .object([("pid", .optional(pid)), ("restarts", .number(restarts))])
    }
}

extension StatusReport.Volume {
    fileprivate var json: JSONValue {
        .object([
            ("storage", .text(storage)), ("mount", .text(mountPoint)), ("view", .text(view)),
            ("format", .optional(format)), ("mounted", .flag(isMounted)),
            ("pid", .optional(pid)), ("writer", .optional(writer)),
        ])
    }
}

extension StatusReport.Problem {
    fileprivate var json: JSONValue {
        .object([
            ("level", .text(level)), ("message", .text(message)), ("phase", .text(phase)),
            ("since", .text(UniversalTime.text(millisecondsAgo: age))),
            ("for_ms", .number(age)),
        ])
    }
}
