internal import Cryptography
internal import KeyProtocol
internal import Linux

/// The environment secure-init was started with, taken out of the memory where others may see it,
/// and what files added to it.
///
/// All of it lies in one locked block, each `NAME=VALUE` somewhere in it. Dropping the last reference wipes it.
final class InheritedEnvironment {
    /// One entry's place in the block.
    struct Entry {
        /// Where `NAME=VALUE` is, the NUL not counted.
        let range: Range<Int>
        /// How long the name is; the whole entry where there is no `=`.
        let nameCount: Int
        /// The file and line it is from; nil where secure-init was started with it.
        var place: String?

        /// Where the value is.
        var value: Range<Int> {
            min(range.lowerBound + nameCount + 1, range.upperBound)..<range.upperBound
        }
    }

    /// Every entry, in order.
    let entries: [Entry]

    private let block: SecretBytes

    /// Copies the initial environment and erases the original.
    static func takeInitial() -> InheritedEnvironment {
        defer { InitialMemory.eraseEnvironment() }
        return copyInitial()
    }

    /// Copies the initial environment.
    static func copyInitial() -> InheritedEnvironment {
        var count = 0
        InitialMemory.forEachVariable { count += $0.count + 1 }
        var entries: [Entry] = []
        let block = SecretBytes(count: count) { block in
            var offset = 0
            InitialMemory.forEachVariable { text in
                block[offset..<offset + text.count].copyBytes(from: text)
                let end = offset + text.count
                let name = text.firstIndex(of: UInt8(ascii: "=")) ?? text.count
                entries.append(Entry(range: offset..<end, nameCount: name))
                offset = end + 1
            }
        }
        return InheritedEnvironment(block: block, entries: entries)
    }

    /// This environment, with the variables of files behind it.
    ///
    /// Of several lines with one name the last counts. Whoever looks for a name finds what
    /// secure-init was started with first.
    func adding(_ files: [EnvironmentFile]) -> InheritedEnvironment {
        var base = block.count + files.reduce(0) { $0 + $1.contents.count }
        let all = SecretBytes.concatenating([block] + files.map(\.contents))
        let whole = InheritedEnvironment(block: all, entries: [])
        var names: Set<String> = []
        var added: [Entry] = []
        for file in files.reversed() {
            base -= file.contents.count
            for line in file.lines.reversed() {
                let entry = Entry(
                    range: base + line.range.lowerBound..<base + line.range.upperBound,
                    nameCount: line.nameCount,
                    place: "\(file.path), line \(line.number)"
                )
                if names.insert(whole.name(of: entry)).inserted { added.append(entry) }
            }
        }
        return InheritedEnvironment(block: all, entries: entries + added.reversed())
    }

    private init(block: SecretBytes, entries: [Entry]) {
        self.block = block
        self.entries = entries
    }

    /// Lends the bytes of an entry.
    func withBytes<Result, Failure: Error>(
        _ range: Range<Int>,
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try block.withUnsafeBytes { bytes throws(Failure) in
            try body(UnsafeRawBufferPointer(rebasing: bytes[range]))
        }
    }

    /// The name of an entry, which is no secret.
    func name(of entry: Entry) -> String {
        let start = entry.range.lowerBound
        return withBytes(start..<start + entry.nameCount) { String(decoding: $0, as: UTF8.self) }
    }

    /// Whether an entry's name is this one, or begins with it.
    func entry(_ entry: Entry, isNamed name: StaticString, orBeginsWithIt: Bool = false) -> Bool {
        let count = name.utf8CodeUnitCount
        guard orBeginsWithIt ? entry.nameCount >= count : entry.nameCount == count else {
            return false
        }
        let start = entry.range.lowerBound
        return withBytes(start..<start + count) {
            $0.elementsEqual(UnsafeBufferPointer(start: name.utf8Start, count: count))
        }
    }

    /// Whether one of the patterns stands for an entry's name.
    func entry(_ entry: Entry, isNamedByOneOf patterns: [NamePattern]) -> Bool {
        let start = entry.range.lowerBound
        return withBytes(start..<start + entry.nameCount) { name in
            patterns.contains { $0.matches(name) }
        }
    }

    /// The value of the first variable of that name; nil where there is none.
    func secret(named name: String) -> SecretBytes? {
        guard let entry = entries.first(where: { self.name(of: $0) == name }) else { return nil }
        return block.slice(entry.value)
    }

    /// Whether there is a variable of that name, whatever its value.
    func contains(_ name: StaticString) -> Bool {
        entries.contains { entry($0, isNamed: name) }
    }

    /// The value of a variable that is no secret; nil where there is none, or it is empty.
    func text(named name: StaticString) -> String? {
        guard let entry = entries.first(where: { self.entry($0, isNamed: name) }) else {
            return nil
        }
        let text = withBytes(entry.value) { String(decoding: $0, as: UTF8.self) }
        return text.isEmpty ? nil : text
    }

    /// Name and value of every `SECURE_INIT_*` variable.
    var options: [(name: String, value: String)] {
        entries.filter { entry($0, isNamed: "SECURE_INIT_", orBeginsWithIt: true) }.map { entry in
            (name(of: entry), withBytes(entry.value) { String(decoding: $0, as: UTF8.self) })
        }
    }

    /// The ids of the generated keys that encrypted variables need, each once.
    var neededKeyIDs: [String] {
        Set(encrypted.compactMap { withBytes($0.entry.value, EncryptedVariable.keyID) }).sorted()
    }

    /// Every `ENCRYPTED_X`: the name X, and the entry.
    var encrypted: [(name: String, entry: Entry)] {
        entries.filter { entry($0, isNamed: "ENCRYPTED_", orBeginsWithIt: true) }.map { entry in
            (String(name(of: entry).utf8.dropFirst("ENCRYPTED_".utf8.count)) ?? "", entry)
        }
    }
}
