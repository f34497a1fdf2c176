/// One thing looked at, and what to do about it.
struct Check: Equatable {
    /// How it stands.
    enum Outcome: String {
        /// As it should be.
        case ok

        /// Works, but deserves a look.
        case warning

        /// Does not work.
        case failure

        /// Nothing to look at.
        case skipped
    }

    /// What was looked at, in a word or two.
    let name: String

    /// How it stands.
    let outcome: Outcome

    /// What was found.
    let found: String

    /// What mends it; `nil` where nothing needs mending.
    let fix: String?

    /// As it should be.
    static func ok(_ name: String, _ found: String) -> Check {
        Check(name: name, outcome: .ok, found: found, fix: nil)
    }

    /// Works, but deserves a look.
    static func warning(_ name: String, _ found: String, fix: String) -> Check {
        Check(name: name, outcome: .warning, found: found, fix: fix)
    }

    /// Does not work.
    static func failure(_ name: String, _ found: String, fix: String) -> Check {
        Check(name: name, outcome: .failure, found: found, fix: fix)
    }

    /// Nothing to look at.
    static func skipped(_ name: String, _ found: String) -> Check {
        Check(name: name, outcome: .skipped, found: found, fix: nil)
    }

    /// For a person: a line, and another for the fix.
    var text: String {
        let label =
            switch outcome {
            case .ok: "ok     "
            case .warning: "warning"
            case .failure: "FAILURE"
            case .skipped: "-      "
            }
        let width = max(0, 13 - name.count)
        let line = "\(label)  \(name)\(String(repeating: " ", count: width))  \(found)"
        return fix.map { "\(line)\n                        -> \($0)" } ?? line
    }
}
