internal import Linux

/// How decrypted variables reach the command.
struct Delivery {
    /// What carries a value.
    enum Carrier: String {
        /// The variable X itself.
        case variable = "env"
        /// A file in memory that X_FILE names.
        case file
    }

    /// Why a variable cannot be a file.
    enum Fault {
        /// Its name cannot be a file's.
        case name
        /// `ENCRYPTED_X_FILE` is to be the variable that names it.
        case taken
    }

    /// Where files are mounted when nobody says.
    static let defaultDirectory = "/run/secure-init"

    /// Where files are to be mounted; nil where nobody said, and they need not be.
    var directory: String?

    private var standard = Carrier.variable
    private var exceptions: [String: Carrier] = [:]

    /// What carries this variable.
    func carrier(of name: String) -> Carrier { exceptions[name] ?? standard }

    /// The names that were given, in order.
    var names: [String] { exceptions.keys.sorted() }

    /// Takes `env`, `file`, or `NAME=` and either; a list of them, too.
    ///
    /// - Returns: Whether it was that.
    mutating func apply(_ text: String) -> Bool {
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let sides = part.split(separator: "=", omittingEmptySubsequences: false)
            guard let carrier = sides.last.flatMap({ Carrier(rawValue: String($0)) }) else {
                return false
            }
            switch sides.count {
            case 1: standard = carrier
            case 2 where !sides[0].isEmpty: exceptions[String(sides[0])] = carrier
            default: return false
            }
        }
        return true
    }
}

extension Delivery.Fault: CustomStringConvertible {
    /// What is wrong, and what would mend it.
    var description: String {
        switch self {
        case .name: "the name cannot be a file's: deliver it as a variable"
        case .taken: "delivered as a file, it is named by a variable that is encrypted, too"
        }
    }
}
