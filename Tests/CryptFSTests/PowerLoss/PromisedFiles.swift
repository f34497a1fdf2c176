/// What a program was promised of its files: what it has synchronised stays, whatever else it did not.
struct PromisedFiles {
    /// A content that a file has had, or nil while there was none of this name.
    private struct Version {
        let content: [UInt8]?

        /// It came from the one before by changes of the same file.
        let isChange: Bool

        /// From when on it may be found.
        let begun: Int

        /// From when on it is promised: nothing older is found any more.
        var promised: Int?
    }

    /// A synchronised content that has to be found under some name, until it is changed or has none.
    private struct Claim {
        let content: [UInt8]
        let begun: Int
        var ended: Int?

        /// Every name it had.
        var names: Set<String>

        /// Those it has.
        var current: Set<String>
    }

    private var versions: [String: [Version]] = [:]
    private var claims: [Claim] = []

    static let blockCount = 4096

    /// A path's newest content.
    func content(_ path: String) -> [UInt8]? { versions[path]?.last?.content }

    /// A change of content is about to begin.
    mutating func change(_ path: String, to content: [UInt8]?, at position: Int, isNew: Bool) {
        add(Version(content: content, isChange: !isNew, begun: position), to: path)
        end(path, at: position)
    }

    /// A file is about to get another name, beside its own or in its place.
    mutating func name(_ path: String, _ other: String, keepsFirst: Bool, at position: Int) {
        let content = content(path)
        end(other, at: position)
        for index in claims.indices where claims[index].current.contains(path) {
            claims[index].names.insert(other)
            claims[index].current.insert(other)
        }
        add(Version(content: content, isChange: false, begun: position), to: other)
        guard !keepsFirst else { return }
        add(Version(content: nil, isChange: false, begun: position), to: path)
        end(path, at: position)
    }

    private mutating func add(_ version: Version, to path: String) {
        versions[path, default: [Version(content: nil, isChange: false, begun: 0, promised: 0)]]
            .append(version)
    }

    /// What had this name need not have it any more.
    private mutating func end(_ path: String, at position: Int) {
        for index in claims.indices where claims[index].ended == nil {
            claims[index].current.remove(path)
            if claims[index].current.isEmpty { claims[index].ended = position }
        }
    }

    /// A path was synchronised.
    mutating func promise(_ path: String, at position: Int) {
        guard let last = versions[path]?.indices.last else { return }
        versions[path]?[last].promised = position
        guard let content = content(path) else { return }
        claims.append(Claim(content: content, begun: position, names: [path], current: [path]))
    }

    /// What is wrong with what was found when the log had reached a position.
    ///
    /// - Parameters:
    ///   - tree: What was found.
    ///   - position: How far the log had come.
    ///   - isWhole: A file has one of its contents, whole, and never a mixture of their blocks: what
    ///     rclone's format gives.
    ///   - mayBeTorn: A block that was changed since it was promised may be an error.
    /// - Returns: A line for each fault.
    func faults(
        in tree: ImageReader.Tree,
        at position: Int,
        areReplacedWhole isWhole: Bool = false,
        mayBeTorn: Bool = true
    ) -> [String] {
        let lost = claims.filter { claim in
            claim.begun <= position && position < claim.ended ?? .max
                && !claim.names.contains { tree.files["/" + $0]?.content == claim.content }
        }
        return lost.map { "lost under all of \($0.names.map { $0.prefix(20) }.sorted())" }
            + faultsByName(tree, at: position, isWhole)
            + (mayBeTorn ? [] : tornFiles(in: tree, at: position))
    }

    /// Files of which something was promised and something is an error.
    private func tornFiles(in tree: ImageReader.Tree, at position: Int) -> [String] {
        versions.keys.sorted().filter { path in
            let isPromised = candidates(path, at: position).first?.first.flatMap(\.self) != nil
            return isPromised && tree.files["/" + path]?.blocks.contains(nil) == true
        }.map { "\($0.prefix(20)): torn" }
    }

    private func faultsByName(
        _ tree: ImageReader.Tree,
        at position: Int,
        _ isWhole: Bool
    ) -> [String] {
        versions.keys.sorted().compactMap { path in
            let runs = candidates(path, at: position)
            let found = tree.files["/" + path]
            if isWhole {
                return Self.faultOfWhole(found, runs.flatMap(\.self)).map { "\(path): \($0)" }
            }
            let causes = runs.map { Self.fault(found, $0) }
            guard !causes.contains(nil) else { return nil }
            return "\(path.prefix(20)): \(causes.compactMap(\.self).joined(separator: "; "))"
        }
    }

    /// The versions that may be found, those of one file's changes together.
    private func candidates(_ path: String, at position: Int) -> [[[UInt8]?]] {
        let all = versions[path] ?? []
        let first = all.lastIndex { $0.promised.map { $0 <= position } ?? false } ?? 0
        var runs: [[[UInt8]?]] = []
        for version in all[first...] where version.begun <= position {
            if version.isChange, !runs.isEmpty {
                runs[runs.count - 1].append(version.content)
            } else {
                runs.append([version.content])
            }
        }
        return runs
    }

    /// Why what was found is none of the contents of a run, nor a mixture of its blocks; nil if it is.
    ///
    /// A block is an error only where it was changed within the run.
    private static func fault(_ found: ImageReader.File?, _ run: [[UInt8]?]) -> String? {
        guard let found else { return run.contains(nil) ? nil : "lost" }
        let contents = run.compactMap(\.self)
        guard let shortest = contents.map(\.count).min(),
            let longest = contents.map(\.count).max()
        else { return "there, and should not be" }
        guard found.count >= shortest, found.count <= longest else {
            return "\(found.count) bytes, not \(shortest) to \(longest)"
        }
        for (index, block) in found.blocks.enumerated() {
            let variants = Set(contents.map { Self.block(index, of: $0) })
            guard let block else {
                if variants.count == 1 { return "block \(index) is an error" }
                continue
            }
            // Never written, in a file that is longer already.
            let isHole = variants.contains([]) && block.allSatisfy { $0 == 0 }
            if !variants.contains(block), !isHole { return "block \(index) is wrong" }
        }
        return nil
    }

    /// Why what was found is none of the contents; nil if it is.
    ///
    /// What was never synchronised, so that it might as well not be there, may be an error.
    private static func faultOfWhole(
        _ found: ImageReader.File?,
        _ contents: [[UInt8]?]
    ) -> String? {
        guard let found else { return contents.contains(nil) ? nil : "lost" }
        guard let content = found.content else {
            return contents.contains(nil) ? nil : "unreadable"
        }
        if contents.contains(content) { return nil }
        // Cut between blocks, which the format cannot see.
        let isBeginning = contents.contains { $0?.starts(with: content) ?? false }
        if contents.contains(nil), content.count % (64 << 10) == 0, isBeginning { return nil }
        return "\(content.count) bytes that were never its content"
    }

    private static func block(_ index: Int, of content: [UInt8]) -> [UInt8] {
        let start = min(index * blockCount, content.count)
        return Array(content[start..<min(start + blockCount, content.count)])
    }
}
