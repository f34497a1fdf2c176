internal import CryptFS
internal import Glibc
internal import Linux

/// Overwrites files in memory and removes them, with everything below a directory.
struct TreeWipe {
    private let spared: FileName?

    private static let zeros = [UInt8](repeating: 0, count: 1 << 20)

    /// - Parameter spared: A name in the topmost directory that stays.
    init(sparing spared: FileName? = nil) {
        self.spared = spared
    }

    /// Wipes everything in a directory.
    ///
    /// What cannot be overwritten is removed all the same: its pages are freed with its last user.
    ///
    /// - Throws: The first error of what could not be removed; the rest is.
    func run(_ directory: Int32) throws(Errno) {
        // Who may change the view may have taken the rights from its directories, this one too.
        try? FileCall.setMode(directory, 0o700)
        var failure: Errno?
        // What is wiped is gone: somebody who still moves directories does not keep the others from it.
        for _ in 0..<Self.attempts {
            failure = nil
            do throws(Errno) {
                try walk(directory, &failure)
                // What could not be removed cannot be the next time.
                if failure != nil { break }
                if try names(in: directory, sparing: spared).isEmpty { break }
                failure = .notEmpty
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
    }

    private static let attempts = 16

    private func walk(_ directory: Int32, _ failure: inout Errno?) throws(Errno) {
        func noting(_ body: () throws(Errno) -> Void) {
            do throws(Errno) {
                try body()
            } catch {
                if error != .noSuchFile { failure = failure ?? error }
            }
        }
        var isTop = true
        try DirectoryWalk.run(
            below: directory,
            opening: { name, parent throws(Errno) in
                var below: OwnedDescriptor?
                noting { () throws(Errno) in
                    below = try Self.open(name, in: parent, [.readOnly, .directory], mode: 0o700)
                }
                return below
            },
            leaving: { name, parent throws(Errno) in
                noting { () throws(Errno) in try FileCall.removeDirectory(name, in: parent) }
            },
            visiting: { directory throws(Errno) in
                try? FileCall.setMode(directory, 0o700)
                var found: [FileName] = []
                noting { () throws(Errno) in
                    found = try names(in: directory, sparing: isTop ? spared : nil)
                }
                isTop = false
                return found.filter { name in
                    var isDirectory = false
                    noting { () throws(Errno) in
                        isDirectory = try remove(name, in: directory)
                    }
                    return isDirectory
                }
            }
        )
    }

    private func names(
        in directory: Int32,
        sparing spared: FileName?
    ) throws(Errno) -> [FileName] {
        var names: [FileName] = []
        try DirectoryScan.forEach(in: directory) { record in
            if let name = FileName(record.name), name != spared { names.append(name) }
        }
        return names
    }

    /// Overwrites and removes what is no directory.
    ///
    /// - Returns: Whether it is one.
    private func remove(_ name: FileName, in directory: Int32) throws(Errno) -> Bool {
        switch try FileStatus(in: directory, named: name).kind {
        case .directory: return true
        case .regular:
            if let file = try? Self.open(
                name,
                in: directory,
                [.writeOnly, .nonBlocking],
                mode: 0o600
            ) {
                try? Self.overwrite(file.rawValue)
            }
            try FileCall.unlink(name, in: directory)
        case .symbolicLink, .special:
            try FileCall.unlink(name, in: directory)
        }
        return false
    }

    /// Opens, with a mode that lets us where the present one does not.
    private static func open(
        _ name: FileName,
        in directory: Int32,
        _ flags: FileCall.OpenFlags,
        mode: UInt32
    ) throws(Errno) -> OwnedDescriptor {
        do throws(Errno) {
            return try FileCall.open(name, in: directory, flags)
        } catch .permissionDenied {
            let place = try FileCall.open(name, in: directory, .placeOnly)
            guard fchmodat(AT_FDCWD, "/proc/self/fd/\(place.rawValue)", mode, 0) == 0 else {
                throw .permissionDenied
            }
            return try FileCall.open(name, in: directory, flags)
        }
    }

    /// Writes zeros over what there is; holes stay holes, so that wiping takes no memory.
    private static func overwrite(_ file: Int32) throws(Errno) {
        let status = try FileStatus(of: file)
        let type = try FileSystemType(of: file)
        // A ramfs does not tell where its holes are.
        guard type == .tmpfs || status.blocks * 512 >= status.size else { return }
        var offset: UInt64 = 0
        while let start = try FileCall.find(.data, in: file, from: offset) {
            offset = start
            let end = try FileCall.find(.hole, in: file, from: start) ?? status.size
            while offset < end {
                let count = Int(min(UInt64(zeros.count), end - offset))
                try zeros.withUnsafeBufferPointer { zeros throws(Errno) in
                    let part = UnsafeRawBufferPointer(
                        rebasing: UnsafeRawBufferPointer(zeros)[..<count]
                    )
                    try FileCall.write(file, at: offset, part)
                }
                offset += UInt64(count)
            }
        }
    }
}
