import AccessRules
import Foundation

@testable import KeyServer

/// What must hold of releases, in the simplest form.
struct ReleaseModel {
    var isLockedDown = false
    var revoked: Set<String> = []
    var certificates: [String: [String]] = [:]
    var granted: [String: Set<String>] = [:]
    var policies: [Subject: Rules] = [:]
    private var welcomed: [String: Int] = [:]
    private var seen: [String: Int] = [:]
    private var had: [Subject: [String: Int]] = [:]

    enum Subject: Hashable {
        case everyone
        case device(String)
        case key(String)

        var policySubject: PolicySubject {
            switch self {
            case .everyone: .devices(.everyDevice)
            case .device(let name): .devices(.device(name))
            case .key(let name): .key(name)
            }
        }

        static func random(
            _ device: String,
            _ key: String,
            using random: inout some RandomNumberGenerator
        ) -> Subject {
            [.everyone, .device(device), .key(key)].randomElement(using: &random) ?? .everyone
        }
    }

    /// One rule, so that each decides often.
    enum Rules {
        case deny(host: Int)
        case allow(host: Int)
        case onDays([String])
        case releases(Int)
        case unseen(days: Int)

        static func random(using random: inout some RandomNumberGenerator) -> Rules {
            let days = names.filter { _ in Int.random(in: 0..<4, using: &random) > 0 }
            let choices: [Rules] = [
                .deny(host: .random(in: 1...4, using: &random)),
                .allow(host: .random(in: 1...4, using: &random)),
                .onDays(days.isEmpty ? names : days),
                .releases(.random(in: 1...6, using: &random)),
                .unseen(days: .random(in: 100...1000, using: &random)),
            ]
            return choices.randomElement(using: &random) ?? choices[0]
        }

        func ruleSet() throws -> RuleSet {
            let text =
                switch self {
                case .deny(let host): "deny 192.0.2.\(host)"
                case .allow(let host): "allow 192.0.2.\(host)"
                case .onDays(let days): "hours \(days.joined(separator: ",")) 00:00-24:00"
                case .releases(let count): "releases \(count)"
                case .unseen(let days): "unseen \(days)d"
                }
            return try RuleSet(parsing: text)
        }
    }

    private static let names = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

    func permits(_ request: ReleaseRequest, at seconds: Int) -> Bool {
        let device = request.device
        return !isLockedDown && !revoked.contains(device)
            && certificates[device]?.last == request.fingerprint
            && request.keyNames.allSatisfy { granted[$0]?.contains(device) == true }
            && subjects(of: request).allSatisfy { permits(request, under: $0, at: seconds) }
    }

    private func permits(_ request: ReleaseRequest, under subject: Subject, at seconds: Int) -> Bool
    {
        switch policies[subject] {
        case nil: return true
        case .deny(let host): return request.address != IPAddress("192.0.2.\(host)")
        case .allow(let host): return request.address == IPAddress("192.0.2.\(host)")
        case .onDays(let days):
            var calendar = Calendar(identifier: .gregorian)
            calendar.timeZone = .gmt
            let date = Date(timeIntervalSince1970: Double(seconds))
            return days.contains(Self.names[(calendar.component(.weekday, from: date) + 5) % 7])
        case .releases(let count): return had[subject]?[request.device] ?? 0 < count
        case .unseen(let days):
            let last = [welcomed[request.device], seen[request.device]].compactMap { $0 }.max()
            return seconds - (last ?? 0) <= days * 86_400
        }
    }

    /// Notes a release, which counts under policies that count.
    mutating func note(_ request: ReleaseRequest, at seconds: Int) {
        for subject in subjects(of: request) {
            guard case .releases = policies[subject] else { continue }
            had[subject, default: [:]][request.device, default: 0] += 1
        }
        seen[request.device] = seconds
    }

    /// A device was added or restored.
    mutating func welcome(_ device: String) {
        // By the machine's own clock, as an operator's acts are.
        welcomed[device] = Timestamp.now.seconds
        for subject in had.keys { had[subject]?[device] = nil }
    }

    mutating func forget(_ subject: Subject) {
        policies[subject] = nil
        had[subject] = nil
    }

    private func subjects(of request: ReleaseRequest) -> [Subject] {
        [.everyone, .device(request.device)] + request.keyNames.map { .key($0) }
    }
}
