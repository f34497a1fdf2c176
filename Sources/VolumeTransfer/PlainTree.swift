internal import CryptFS
internal import Linux

/// What is in a plain folder.
struct PlainTree {
    var entries: [TreeEntry] = []
    var special: [String] = []
    var failures: [TransferReport.Note<TransferFault>] = []

    /// Lists a folder and everything below it, directories before what is in them.
    init(below root: Int32) {
        list([[]], below: root)
    }

    private mutating func list(_ paths: [[FileName]], below root: Int32) {
        var pending = paths
        while let path = pending.popLast() {
            do throws(Errno) {
                try list(path, below: root, &pending)
            } catch {
                failures.append(.init(path: Self.text(path), cause: .system(error)))
            }
        }
    }

    /// A single file or link, or a folder with everything below it.
    init(_ name: FileName, in directory: Int32) throws(Errno) {
        let status = try FileStatus(in: directory, named: name)
        add(name, below: [], status)
        if status.kind == .directory { list([[name]], below: directory) }
    }

    private mutating func list(
        _ path: [FileName],
        below root: Int32,
        _ pending: inout [[FileName]]
    ) throws(Errno) {
        let directory = try TreeDirectory.open(path, below: root)
        var names: [FileName] = []
        try DirectoryScan.forEach(in: directory.rawValue) { record in
            // What an interrupted decryption left.
            guard !DraftName.matches(record.name), let name = FileName(record.name) else { return }
            names.append(name)
        }
        for name in names {
            do throws(Errno) {
                let status = try FileStatus(in: directory.rawValue, named: name)
                add(name, below: path, status)
                if status.kind == .directory { pending.append(path + [name]) }
            } catch .noSuchFile {
                // Gone since it was listed.
                continue
            }
        }
    }

    private mutating func add(_ name: FileName, below path: [FileName], _ status: FileStatus) {
        let path = path + [name]
        let kind: TreeEntry.Kind
        switch status.kind {
        case .regular: kind = .file
        case .directory: kind = .directory
        case .symbolicLink: kind = .link
        case .special:
            special.append(Self.text(path))
            return
        }
        entries.append(
            TreeEntry(
                kind: kind,
                path: path.map { Array($0.bytes) },
                status: status,
                contentSize: kind == .directory ? nil : status.size,
                stored: path
            )
        )
    }

    private static func text(_ path: [FileName]) -> String {
        path.isEmpty ? "." : path.map(\.description).joined(separator: "/")
    }
}
