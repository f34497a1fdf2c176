internal import Cryptography
internal import Glibc
internal import Linux

/// The environment of the command: what was inherited without what is ours, and what was decrypted.
///
/// The strings lie in one locked block, which is wiped when the last reference goes: after the
/// command was started, nobody needs it.
final class CommandEnvironment {
    private let block: SecretBytes
    private let pointers: UnsafeMutableBufferPointer<UnsafeMutablePointer<CChar>?>
    private let defaultSearchPath: String

    /// What the command never sees: credentials, and what secure-init itself is told by.
    static let removed: [StaticString] = [
        "MTLS_CERT", "MTLS_KEY", "MTLS_CA", "STORE_TOKEN", "STORE_ENROLL_TOKEN", "STORE_PASSWORD",
    ]

    /// Puts the environment together.
    ///
    /// - Parameters:
    ///   - inherited: What secure-init was started with.
    ///   - patterns: Which of it stays; nil for all. What is from a file always does.
    ///   - decrypted: Names and values; they win over what was inherited.
    ///   - hidden: Names that shall not be there, whoever set them.
    ///   - keyVariable: The variable that held the key, if one did.
    ///   - home: The value of `HOME`, where the command runs as another user.
    ///   - isWhole: Whether even what is ours stays.
    init(
        inherited: InheritedEnvironment,
        keeping patterns: [NamePattern]?,
        decrypted: [(name: String, value: SecretBytes)],
        hiding hidden: [String],
        keyVariable: String?,
        home: String?,
        isWhole: Bool
    ) {
        var plain: [(name: String, value: SecretBytes)] = []
        if let home { plain.append(("HOME", SecretBytes(copying: home.utf8))) }
        let decryptedNames = decrypted.map(\.name)
        let added = plain.filter { !decryptedNames.contains($0.name) } + decrypted
        let replaced = Set(added.map(\.name) + hidden)
        var kept = inherited.entries.filter { entry in
            guard isWhole || !inherited.isOurs(entry) else { return false }
            if let patterns, entry.place == nil,
                !inherited.entry(entry, isNamedByOneOf: patterns)
            {
                return false
            }
            guard !replaced.isEmpty || keyVariable != nil else { return true }
            let name = inherited.name(of: entry)
            return !replaced.contains(name) && name != keyVariable
        }
        if kept.contains(where: { $0.place != nil }) {
            // What secure-init was started with, and is not cleared, wins over files.
            let names = Set(kept.lazy.filter { $0.place == nil }.map(inherited.name))
            kept.removeAll { $0.place != nil && names.contains(inherited.name(of: $0)) }
        }
        let count =
            kept.reduce(0) { $0 + $1.range.count + 1 }
            + added.reduce(0) { $0 + $1.name.utf8.count + $1.value.count + 2 }

        var offsets: [Int] = []
        // The memory comes zeroed, so every string ends by leaving a byte out.
        block = SecretBytes(count: count) { block in
            var offset = 0
            for entry in kept {
                offsets.append(offset)
                inherited.withBytes(entry.range) {
                    block[offset..<offset + $0.count].copyBytes(from: $0)
                }
                offset += entry.range.count + 1
            }
            for (name, value) in added {
                offsets.append(offset)
                let start = offset + name.utf8.count + 1
                block[offset..<start].copyBytes(from: "\(name)=".utf8)
                value.withUnsafeBytes { block[start..<start + $0.count].copyBytes(from: $0) }
                offset = start + value.count + 1
            }
        }
        // As long as the command has none of its own, it is looked for where secure-init would.
        defaultSearchPath =
            inherited.text(named: "PATH")
            ?? "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        pointers = .allocate(capacity: offsets.count + 1)
        pointers.initialize(repeating: nil)
        // The pointers leave the closure, but not this object, which keeps the block in its place.
        block.withUnsafeBytes { bytes in
            for (index, offset) in offsets.enumerated() {
                pointers[index] = UnsafeMutableRawPointer(mutating: bytes.baseAddress)?
                    .advanced(by: offset).assumingMemoryBound(to: CChar.self)
            }
        }
    }

    deinit {
        pointers.deallocate()
    }

    /// The array for `execve`, valid as long as the object lives.
    var pointer: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?> {
        // An allocation of at least one element has an address.
        pointers.baseAddress.unsafelyUnwrapped
    }

    /// Where the command is looked for.
    var searchPath: String {
        let prefix: StaticString = "PATH="
        for case let text? in pointers where strncmp(text, prefix.cString, 5) == 0 {
            return String(cString: text + 5)
        }
        return defaultSearchPath
    }
}

extension InheritedEnvironment {
    /// Whether the command must not have the entry.
    func isOurs(_ entry: Entry) -> Bool {
        self.entry(entry, isNamed: "SECURE_INIT_", orBeginsWithIt: true)
            || self.entry(entry, isNamed: "ENCRYPTED_", orBeginsWithIt: true)
            || CommandEnvironment.removed.contains { self.entry(entry, isNamed: $0) }
    }
}

extension StaticString {
    fileprivate var cString: UnsafePointer<CChar> {
        UnsafeRawPointer(utf8Start).assumingMemoryBound(to: CChar.self)
    }
}
