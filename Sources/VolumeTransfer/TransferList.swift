internal import Linux

/// What is transferred, but for directories: every file with all of its names together.
struct TransferList {
    /// What is transferred by itself: one entry for each file or link.
    private(set) var entries: [TreeEntry] = []

    /// The further names of an entry's file, by the entry's place.
    private(set) var furtherNames: [Int: [TreeEntry]] = [:]

    /// Names in ``entries`` that are, or may be, another entry's file.
    private(set) var separatedNames = 0

    /// How many files of several names, of which not all were seen yet, are known at once: about 16 MiB.
    ///
    /// Of more, each name becomes a file of its own.
    static let limit = 1 << 18

    /// Takes every entry by itself.
    init(each entries: [TreeEntry]) {
        self.entries = entries
    }

    /// - Parameters:
    ///   - entries: Of a tree that has files of several names.
    ///   - isKept: Whether the target can have them as well.
    ///   - limit: How many such files are known at once.
    init(_ entries: [TreeEntry], isKept: Bool, limit: Int = Self.limit) {
        struct File {
            let place: Int
            var missingNames: UInt64
        }
        var files: [FileIdentity: File] = [:]
        for entry in entries where entry.kind != .directory {
            let names = entry.status.linkCount
            let identity = entry.status.identity
            if names > 1, let file = files[identity] {
                files[identity] =
                    file.missingNames > 1
                    ? File(place: file.place, missingNames: file.missingNames - 1) : nil
                if isKept {
                    furtherNames[file.place, default: []].append(entry)
                    continue
                }
                separatedNames += 1
            } else if names > 1 {
                if files.count < limit {
                    files[identity] = File(place: self.entries.count, missingNames: names - 1)
                } else {
                    separatedNames += 1
                }
            }
            self.entries.append(entry)
        }
    }
}

extension StoredVolume {
    /// Whether the format has holes, and files of several names.
    ///
    /// rclone's has neither: content is stored whole, and what a name stands for is replaced by what is
    /// stored anew.
    var hasHolesAndLinks: Bool {
        switch cipher {
        case .gocryptfs: true
        case .rclone: false
        }
    }
}
