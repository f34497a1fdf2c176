/// Takes options out of a command line by the rules of the C library's `getopt_long`, which are those of
/// tini and dumb-init.
///
/// Letters stand alone or together, a value behind its letter or in the next argument; a name may be
/// cut short as long as it is clear which is meant. C: `getopt_long`.
struct OptionScanner {
    /// An option there is.
    struct Known {
        let letter: Character
        /// Behind two dashes; empty where there is none.
        let name: String
        let takesValue: Bool

        init(_ letter: Character, _ name: String = "", takesValue: Bool = false) {
            self.letter = letter
            self.name = name
            self.takesValue = takesValue
        }
    }

    /// What was found, in order.
    enum Found {
        /// An option; the value is empty where it takes none.
        case option(Character, value: String)
        /// What is wrong, in the C library's words. Nothing follows.
        case wrong(String)
    }

    let known: [Known]

    /// Whether options may follow operands, as in `tini PROGRAM -v -- ARGUMENT`.
    let permutes: Bool

    private(set) var found: [Found] = []

    /// What is no option: the command.
    private(set) var operands: [UnsafePointer<CChar>] = []

    private var rest: ArraySlice<UnsafePointer<CChar>> = []

    init(known: [Known], permutes: Bool) {
        self.known = known
        self.permutes = permutes
    }

    /// Reads arguments to their end, or to the first that is wrong.
    mutating func scan(_ arguments: [UnsafePointer<CChar>]) {
        rest = arguments[...]
        while let argument = rest.popFirst() {
            let text = String(cString: argument)
            if text == "--" { break }
            if text.first != "-" || text == "-" {
                operands.append(argument)
                guard permutes else { break }
                continue
            }
            if text.hasPrefix("--"), known.contains(where: { !$0.name.isEmpty }) {
                scanName(text.dropFirst(2))
            } else {
                scanLetters(text.dropFirst())
            }
            if case .wrong = found.last { return }
        }
        operands += rest
    }

    private mutating func scanLetters(_ letters: Substring) {
        var letters = letters
        while let letter = letters.popFirst() {
            guard let option = known.first(where: { $0.letter == letter }) else {
                found.append(.wrong("invalid option -- '\(letter)'"))
                return
            }
            guard option.takesValue else {
                found.append(.option(letter, value: ""))
                continue
            }
            if letters.isEmpty, rest.isEmpty {
                found.append(.wrong("option requires an argument -- '\(letter)'"))
            } else {
                let value = letters.isEmpty ? next() : String(letters)
                found.append(.option(letter, value: value))
            }
            return
        }
    }

    private mutating func scanName(_ text: Substring) {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let name = parts[0]
        let exact = known.filter { $0.name == name }
        let meant = exact.isEmpty ? known.filter { $0.name.hasPrefix(name) } : exact
        guard let option = meant.first else {
            found.append(.wrong("unrecognized option '--\(name)'"))
            return
        }
        guard meant.count == 1 else {
            let names = meant.map { "'--\($0.name)'" }.joined(separator: " ")
            found.append(.wrong("option '--\(name)' is ambiguous; possibilities: \(names)"))
            return
        }
        switch (option.takesValue, parts.count == 2) {
        case (false, false):
            found.append(.option(option.letter, value: ""))
        case (false, true):
            found.append(.wrong("option '--\(option.name)' doesn't allow an argument"))
        case (true, true):
            found.append(.option(option.letter, value: String(parts[1])))
        case (true, false) where rest.isEmpty:
            found.append(.wrong("option '--\(option.name)' requires an argument"))
        case (true, false):
            found.append(.option(option.letter, value: next()))
        }
    }

    private mutating func next() -> String {
        rest.popFirst().map { String(cString: $0) } ?? ""
    }
}
