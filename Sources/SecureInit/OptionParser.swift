internal import Cryptography
internal import Glibc
internal import Linux

/// Reads the command line and the `SECURE_INIT_*` variables by the table of options.
///
/// One dash or two, a value behind `=` or in the next argument, as the original's flags had it.
/// The first argument that is no option begins the command.
struct OptionParser {
    /// Arguments in the memory the kernel gave them, so that a secret can be erased there.
    let arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>

    /// The number of arguments, the program's own name counted.
    let count: Int

    /// What came of it.
    struct Result {
        var settings: Settings
        /// Where the command begins; the number of arguments where there is none.
        var command: Int
    }

    /// Reads tini's variables, then those that begin with `SECURE_INIT_`, then flags: the last wins.
    ///
    /// - Returns: The settings, and where the command begins.
    /// - Throws: ``InitError``: usage.
    func parse(_ environment: InheritedEnvironment) throws(InitError) -> Result {
        var settings = Settings()
        TiniVariables(environment).apply(to: &settings)
        for (name, value) in environment.options { try apply(name, value, to: &settings) }
        let command = try parseArguments(into: &settings)
        return Result(settings: settings, command: command)
    }

    private func apply(
        _ variable: String,
        _ value: String,
        to settings: inout Settings
    ) throws(InitError) {
        guard let option = Option.table.first(where: { $0.hasVariable && $0.variable == variable })
        else {
            let known = Option.table.filter(\.hasVariable).map(\.variable)
            throw .unknownOption(variable, nearest: Spelling.nearest(to: variable, among: known))
        }
        switch option.kind {
        case .flag(let set):
            guard let flag = Self.truth(value) else { throw .unexpectedValue(option: variable) }
            set(&settings, flag)
        case .value(_, let set):
            if let expected = set(&settings, value) {
                throw .invalidValue(option: variable, value: value, expected: expected)
            }
        case .secret:
            throw .unknownOption(variable, nearest: nil)
        }
    }

    private func parseArguments(into settings: inout Settings) throws(InitError) -> Int {
        var index = 1
        while index < count, let argument = arguments[index] {
            guard argument[0] == CChar(45), argument[1] != 0 else { return index }
            index += 1
            if strcmp(argument, "--") == 0 { return index }
            let dashes = argument[1] == CChar(45) ? 2 : 1
            let equals = strchr(argument, Int32(UInt8(ascii: "=")))
            // The name alone becomes a string: what is behind it may be a secret.
            let length = equals.map { $0 - (argument + dashes) } ?? strlen(argument + dashes)
            let name = String(
                decoding: UnsafeRawBufferPointer(start: argument + dashes, count: length),
                as: UTF8.self
            )
            let written = String(repeating: "-", count: dashes) + name
            guard let option = Option.table.first(where: { $0.name == name || $0.isShort(name) })
            else { throw .unknownOption(written, nearest: Self.nearest(to: name)) }
            var value = equals.map { $0 + 1 }
            if value == nil, let placeholder = option.placeholder {
                guard index < count, let next = arguments[index] else {
                    throw .missingValue(option: written, placeholder: placeholder)
                }
                value = next
                index += 1
            }
            try apply(option, written, value, to: &settings)
        }
        return index
    }

    private func apply(
        _ option: Option,
        _ written: String,
        _ value: UnsafeMutablePointer<CChar>?,
        to settings: inout Settings
    ) throws(InitError) {
        switch option.kind {
        case .flag(let set):
            guard let flag = value.map({ Self.truth(String(cString: $0)) }) ?? true else {
                throw .unexpectedValue(option: written)
            }
            set(&settings, flag)
        case .value(_, let set):
            let text = value.map { String(cString: $0) } ?? ""
            if let expected = set(&settings, text) {
                throw .invalidValue(option: written, value: text, expected: expected)
            }
        case .secret:
            guard let value else { return }
            settings.localPassword = SecretDeposit(
                SecretBytes(copying: UnsafeRawBufferPointer(start: value, count: strlen(value)))
            )
            InitialMemory.erase(value)
        }
    }

    private static func truth(_ text: String) -> Bool? {
        switch text.lowercased() {
        case "1", "t", "true", "yes", "on": true
        case "", "0", "f", "false", "no", "off": false
        default: nil
        }
    }

    private static func nearest(to name: String) -> String? {
        Spelling.nearest(to: name, among: Option.table.map(\.name)).map { "--\($0)" }
    }
}

extension Option {
    /// What `--help` shows for the value; nil for a switch.
    var placeholder: String? {
        switch kind {
        case .flag: nil
        case .value(let placeholder, _), .secret(let placeholder): placeholder
        }
    }

    fileprivate func isShort(_ name: String) -> Bool { name == "h" && self.name == "help" }
}
