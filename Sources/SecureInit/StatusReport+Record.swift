extension StatusReport {
    /// The record, at most ``maximumCount`` bytes.
    var record: [UInt8] {
        var record: [UInt8] = []
        func add(_ name: String, _ value: String?) {
            guard let value else { return }
            record += Array(name.utf8) + [0]
            record += value.utf8.prefix(Self.maximumTextCount).map { $0 == 0 ? 0x3f : $0 } + [0]
        }
        func add(_ name: String, _ value: Int64?) { add(name, value.map { "\($0)" }) }
        add("version", version)
        add("phase", phase.rawValue)
        add("age", age)
        add("pid", pid)
        add("key.source", keySource)
        for id in keyIDs.prefix(16) { add("key.id", id) }
        if let wait {
            add("wait.cause", wait.cause)
            add("wait.attempts", wait.attempts)
            add("wait.next", wait.next)
        }
        if let fetcher {
            add("fetcher.pid", fetcher.pid)
            add("fetcher.restarts", fetcher.restarts)
        }
        if let volume {
            add("volume.storage", volume.storage)
            add("volume.mount", volume.mountPoint)
            add("volume.view", volume.view)
            add("volume.format", volume.format)
            add("volume.mounted", volume.isMounted ? 1 : 0)
            add("volume.pid", volume.pid)
        }
        add("command.name", command.name)
        add("command.pid", command.pid)
        add("command.age", command.age)
        if let lastError {
            add("error.level", lastError.level)
            add("error.message", lastError.message)
            add("error.phase", lastError.phase)
            add("error.age", lastError.age)
        }
        return record
    }

    /// Reads a record; nil where it is none.
    ///
    /// Fields that are not known are passed over.
    init?(record: [UInt8]) {
        let parts = record.split(separator: 0, omittingEmptySubsequences: false).map {
            String(decoding: $0, as: UTF8.self)
        }
        guard parts.count % 2 == 1, parts.last == "" else { return nil }
        var texts: [String: String] = [:]
        for index in stride(from: 0, to: parts.count - 1, by: 2) {
            if parts[index] == "key.id" { keyIDs.append(parts[index + 1]) }
            texts[parts[index]] = parts[index + 1]
        }
        func number(_ name: String) -> Int64? { texts[name].flatMap { Int64($0) } }
        guard let version = texts["version"], let phase = texts["phase"].flatMap(Phase.init),
            let age = number("age"), let pid = number("pid")
        else { return nil }
        self.version = version
        self.phase = phase
        self.age = age
        self.pid = pid
        keySource = texts["key.source"]
        if let attempts = number("wait.attempts") {
            wait = Wait(cause: texts["wait.cause"], attempts: attempts, next: number("wait.next"))
        }
        if let restarts = number("fetcher.restarts") {
            fetcher = Fetcher(pid: number("fetcher.pid"), restarts: restarts)
        }
        if let storage = texts["volume.storage"], let mountPoint = texts["volume.mount"] {
            volume = Volume(
                storage: storage,
                mountPoint: mountPoint,
                view: texts["volume.view"] ?? "mount",
                format: texts["volume.format"],
                isMounted: number("volume.mounted") == 1,
                pid: number("volume.pid")
            )
        }
        command = Command(
            name: texts["command.name"],
            pid: number("command.pid"),
            age: number("command.age")
        )
        if let level = texts["error.level"], let message = texts["error.message"],
            let phase = texts["error.phase"], let age = number("error.age")
        {
            lastError = Problem(level: level, message: message, phase: phase, age: age)
        }
    }
}
