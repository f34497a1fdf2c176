/// Writes Prometheus' text format, version 0.0.4.
///
/// Format: <https://prometheus.io/docs/instrumenting/exposition_formats/>.
struct MetricsText {
    /// What a family counts.
    enum Kind: String {
        case counter, gauge, histogram
    }

    /// What was written so far.
    private(set) var text = ""

    /// A family with one number.
    mutating func add(_ name: String, _ kind: Kind, _ help: String, _ value: some Numeric) {
        begin(name, kind, help)
        sample(name, [], "\(value)")
    }

    /// A family with labels.
    mutating func add(_ name: String, _ kind: Kind, _ help: String, _ family: CounterFamily) {
        add(name, kind, help, labels: family.labels, family.counts)
    }

    /// A family with labels, from numbers that are there.
    mutating func add(
        _ name: String,
        _ kind: Kind,
        _ help: String,
        labels: [String],
        _ samples: [(values: [String], count: Int)]
    ) {
        begin(name, kind, help)
        for (values, count) in samples {
            sample(name, Array(zip(labels, values)), "\(count)")
        }
    }

    /// A histogram.
    mutating func add(_ name: String, _ help: String, _ histogram: LatencyHistogram) {
        begin(name, .histogram, help)
        let classes = histogram.cumulative
        for (label, count) in classes { sample("\(name)_bucket", [("le", label)], "\(count)") }
        sample("\(name)_sum", [], "\(histogram.seconds)")
        // The same number as in the last class, whatever was counted meanwhile.
        sample("\(name)_count", [], "\(classes.last?.count ?? 0)")
    }

    private mutating func begin(_ name: String, _ kind: Kind, _ help: String) {
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n"
    }

    private mutating func sample(_ name: String, _ labels: [(String, String)], _ value: String) {
        let pairs = labels.map { "\($0)=\"\(Self.escape($1))\"" }.joined(separator: ",")
        text += pairs.isEmpty ? "\(name) \(value)\n" : "\(name){\(pairs)} \(value)\n"
    }

    private static func escape(_ value: String) -> String {
        value.reduce(into: "") { text, character in
            switch character {
            case "\\": text += "\\\\"
            case "\"": text += "\\\""
            case "\n": text += "\\n"
            default: text.append(character)
            }
        }
    }
}
