internal import Cryptography
internal import JSONText

/// What became of a target's variables, by their names.
public struct VariableOutcome: Sendable, Equatable {
    /// Those that were not there.
    public internal(set) var created: [String] = []

    /// Those that had another value.
    public internal(set) var changed: [String] = []

    /// Those that were as they should be.
    public internal(set) var unchanged: [String] = []
}

extension BalenaClient {
    /// As many names as one request asks for: an address of bounded length.
    private static let namesPerRequest = 16

    /// How often variables that somebody else made or took away meanwhile are looked at again.
    private static let rounds = 4

    /// Sees to it that a target has these variables; others that it has stay as they are.
    ///
    /// - Parameters:
    ///   - variables: Each name once.
    ///   - target: Whose.
    ///   - dryRun: Find out what would change, and change nothing.
    /// - Returns: What was done, or would be.
    /// - Throws: ``BalenaError``; what was done before stays done.
    public mutating func push(
        _ variables: [BalenaVariable],
        to target: BalenaTarget,
        dryRun: Bool
    ) throws(BalenaError) -> VariableOutcome {
        let shelf = try findShelf(of: target)
        var outcome = VariableOutcome()
        var tried: Set<String> = []
        var left = variables
        for _ in 1...Self.rounds {
            var again: [BalenaVariable] = []
            for start in stride(from: 0, to: left.count, by: Self.namesPerRequest) {
                let some = Array(left[start..<min(start + Self.namesPerRequest, left.count)])
                let found = try readVariables(some.map(\.name), on: shelf)
                for variable in some {
                    let entry = found[variable.name]
                    // One that an earlier attempt made, whose answer was lost, is there now.
                    if let entry, variable.matches(entry.value) {
                        if tried.contains(variable.name) {
                            outcome.created.append(variable.name)
                        } else {
                            outcome.unchanged.append(variable.name)
                        }
                        continue
                    }
                    if !dryRun, try !write(variable, over: entry?.id, on: shelf) {
                        tried.insert(variable.name)
                        again.append(variable)
                    } else if entry == nil {
                        outcome.created.append(variable.name)
                    } else {
                        outcome.changed.append(variable.name)
                    }
                }
            }
            left = again
            if left.isEmpty { return outcome }
        }
        throw .contended(what: target.name)
    }

    private mutating func readVariables(
        _ names: [String],
        on shelf: VariableShelf
    ) throws(BalenaError) -> [String: (id: Int, value: SecretBytes)] {
        var query = ODataQuery(resource: shelf.resource)
        query.fields = ["id", "name", "value"]
        query.filter =
            .field(shelf.owner, is: shelf.ownerID) && .field("name", isIn: names)
        var found: [String: (id: Int, value: SecretBytes)] = [:]
        for entry in try read(query, shelf.target.name) {
            do throws(JSONError) {
                guard let id = try entry.integer("id") else { throw .missing(member: "id") }
                guard let name = try entry.text("name", limit: 255) else {
                    throw .missing(member: "name")
                }
                guard let value = try entry.secret("value") else { throw .missing(member: "value") }
                found[name] = (id, value)
            } catch {
                throw .answer(what: shelf.target.name, cause: "\(error)")
            }
        }
        return found
    }

    /// Makes a variable, or gives the one of that number another value.
    ///
    /// - Returns: False where the variables are not as they were read.
    private mutating func write(
        _ variable: BalenaVariable,
        over id: Int?,
        on shelf: VariableShelf
    ) throws(BalenaError) -> Bool {
        var body = JSONWriter()
        body.append("{")
        if id == nil {
            body.append(quoting: shelf.owner)
            body.append(":\(shelf.ownerID),\"name\":")
            body.append(quoting: variable.name)
            body.append(",")
        }
        body.append("\"value\":")
        do throws(JSONError) {
            try body.append(quoting: variable.value)
        } catch {
            throw .variable(name: variable.name, .notUTF8)
        }
        body.append("}")
        let query = ODataQuery(resource: shelf.resource, id: id)
        let what = "\(variable.name) of \(shelf.target.name)"
        return id == nil
            ? try create(query, body.text, what) : try change(query, body.text, what)
    }
}
