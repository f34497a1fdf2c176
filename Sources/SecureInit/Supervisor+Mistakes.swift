internal import KeyProtocol
internal import Linux

extension Supervisor {
    /// Looks for variables that were meant to be decrypted and would not be.
    ///
    /// - Throws: ``InitError/mistaken(_:)`` with `--strict`; without it, what is certain by its
    ///   form is a warning.
    func checkMistakes(
        in environment: InheritedEnvironment,
        _ keys: KeyBundle
    ) throws(InitError) {
        guard !settings.passesEnvironment else { return }
        // Nothing but a look at how values begin, where nobody asked for more.
        let encrypted = Set(environment.encrypted.map(\.name))
        var mistakes = settings.delivery.names.filter { !encrypted.contains($0) }
            .map { "--deliver names \($0), but there is no ENCRYPTED_\($0)" }
        guard settings.isStrict else {
            for mistake in mistakes { log.warning(mistake) }
            for entry in environment.entries
            where !environment.isOurs(entry)
                && environment.withBytes(entry.value, VariableMistake.isNewForm)
            {
                let name = environment.name(of: entry)
                log.warning("\(name) is encrypted and stays so: only ENCRYPTED_\(name) would not")
            }
            return
        }
        for entry in environment.entries where !environment.isOurs(entry) {
            let name = environment.name(of: entry)
            guard name != plan.key.variable else { continue }
            let mistake = environment.withBytes(entry.value) {
                VariableMistake(name: name, value: $0, keys: keys)
            }
            guard let mistake else { continue }
            let place = entry.place.map { " (\($0))" } ?? ""
            mistakes.append("\(name)\(place) \(mistake)")
        }
        guard mistakes.isEmpty else { throw .mistaken(mistakes) }
    }
}

extension VariableMistake: CustomStringConvertible {
    /// What is wrong; follows the name.
    var description: String {
        switch self {
        case .newForm, .originalForm: "holds an encrypted value, but its name does not say so"
        case .name: "may be a misspelt ENCRYPTED_"
        }
    }
}
