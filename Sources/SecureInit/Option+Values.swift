internal import CryptFS
internal import Linux

// Each reads a value into the settings and returns nil, or what would have been a value.
extension Option {
    private static let durationShape = "a length of time such as 500ms, 30s, 5m or 1h30m"
    private static let signalShape = "a signal's name or number"

    static func duration(_ setting: inout Int64?, _ text: String) -> String? {
        guard let milliseconds = TextDuration.milliseconds(parsing: text) else {
            return durationShape
        }
        setting = milliseconds
        return nil
    }

    static func grace(_ settings: inout Settings, _ text: String) -> String? {
        guard let milliseconds = TextDuration.milliseconds(parsing: text) else {
            return durationShape
        }
        settings.stopGrace = milliseconds
        return nil
    }

    static func creation(_ settings: inout Settings, _ text: String) -> String? {
        switch text {
        case "auto": settings.creation = .automatic
        case "never": settings.creation = .never
        default: return "auto or never"
        }
        return nil
    }

    static func view(_ settings: inout Settings, _ text: String) -> String? {
        switch text {
        case "mount": settings.showsInMemory = false
        case "memory": settings.showsInMemory = true
        default: return "mount or memory"
        }
        return nil
    }

    static func volumeFormat(_ settings: inout Settings, _ text: String) -> String? {
        guard let format = VolumeKind(rawValue: text) else { return "gocryptfs or rclone" }
        settings.volumeFormat = format
        return nil
    }

    static func rewrite(_ settings: inout Settings, _ text: String) -> String? {
        for pair in text.split(separator: ",") {
            let sides = pair.split(separator: ":", omittingEmptySubsequences: false)
            guard sides.count == 2, let from = Signal(parsing: sides[0]) else {
                return "two signals, as in TERM:QUIT or 15:3"
            }
            if sides[1] == "0" {
                settings.rewrites[from] = .some(nil)
            } else if let to = Signal(parsing: sides[1]) {
                settings.rewrites[from] = to
            } else {
                return "two signals, as in TERM:QUIT or 15:3"
            }
        }
        return nil
    }

    static func remap(_ settings: inout Settings, _ text: String) -> String? {
        for part in text.split(separator: ",") {
            guard let code = Int32(part), (0...255).contains(code) else {
                return "an exit code, 0 to 255"
            }
            settings.remappedExits.insert(code)
        }
        return nil
    }

    static func parentDeath(_ settings: inout Settings, _ text: String) -> String? {
        guard let signal = Signal(parsing: text) else { return signalShape }
        settings.parentDeathSignal = signal
        return nil
    }

    static func format(_ settings: inout Settings, _ text: String) -> String? {
        switch text {
        case "text": settings.log.format = .text
        case "json": settings.log.format = .json
        default: return "text or json"
        }
        return nil
    }

    static func level(_ settings: inout Settings, _ text: String) -> String? {
        guard let level = Log.Level(parsing: text) else { return "error, warning, info or debug" }
        settings.log.level = level
        return nil
    }
}
