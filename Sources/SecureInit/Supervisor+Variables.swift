internal import Cryptography
internal import KeyProtocol
internal import Linux

extension Supervisor {
    /// Decrypts every `ENCRYPTED_X` and puts the command's environment together.
    ///
    /// What was inherited, credentials included, is wiped here: nobody needs it after this.
    ///
    /// - Parameter keys: What has arrived; gains older generations where a variable needs one.
    /// - Throws: ``InitError/variable(name:_:)`` for the first that does not decrypt.
    func decryptVariables(with keys: inout KeyBundle) throws(InitError) {
        guard let inherited = environment else { return }
        phase = .decrypting
        var decrypted: [(name: String, value: SecretBytes)] = []
        var names: Set<String> = []
        for (name, entry) in settings.passesEnvironment ? [] : inherited.encrypted {
            // Of several, the C library finds the first.
            guard names.insert(name).inserted else { continue }
            do throws(VariableError) {
                let value = try decrypt(entry, named: name, of: inherited, with: keys)
                decrypted.append((name, value))
            } catch {
                // A value of the original form does not say which key it was encrypted under.
                guard case .authenticationFailed = error,
                    let all = try fetchOlderKeys(for: "ENCRYPTED_\(name)"),
                    let value = try? decrypt(entry, named: name, of: inherited, with: all)
                else { throw .variable(name: name, error) }
                keys = all
                decrypted.append((name, value))
            }
        }
        if !decrypted.isEmpty {
            log.info(
                "variables decrypted",
                [
                    "count": .number(Int64(decrypted.count)),
                    "names": .text(decrypted.map(\.name).joined(separator: ",")),
                ]
            )
        }
        try checkMistakes(in: inherited, keys)
        environment = nil
        let files = decrypted.filter { settings.delivery.carrier(of: $0.name) == .file }
        decrypted.removeAll { settings.delivery.carrier(of: $0.name) == .file }
        decrypted += try deliver(files, beside: decrypted.map(\.name))
        commandEnvironment = CommandEnvironment(
            inherited: inherited,
            keeping: settings.clearsEnvironment ? settings.keptVariables : nil,
            decrypted: decrypted,
            hiding: files.map(\.name),
            keyVariable: plan.key.variable,
            home: plan.home,
            isWhole: settings.passesEnvironment
        )
    }

    private func decrypt(
        _ entry: InheritedEnvironment.Entry,
        named name: String,
        of inherited: InheritedEnvironment,
        with keys: KeyBundle
    ) throws(VariableError) -> SecretBytes {
        try inherited.withBytes(entry.value) { value throws(VariableError) in
            try EncryptedVariable.decrypt(
                value,
                name: name,
                keys: keys,
                mayHoldNUL: settings.delivery.carrier(of: name) == .file
            )
        }
    }
}
