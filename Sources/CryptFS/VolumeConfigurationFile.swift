package import Cryptography
internal import Glibc
internal import Linux
package import VolumeFormat

/// The file with a volume's configuration, encrypted under the served key.
package struct VolumeConfigurationFile {
    package let path: String

    /// A file that may be there or not.
    package init(path: String) {
        self.path = path
    }

    /// Reads and decrypts it.
    ///
    /// - Returns: Nil when there is no such file.
    package func read(key: SecretBytes) throws(VolumeError) -> RcloneVolumeConfiguration? {
        guard let bytes = try contents() else { return nil }
        do throws(VolumeFormatError) {
            return try SecretBytes(copying: bytes).withUnsafeBytes {
                bytes throws(VolumeFormatError) in
                let configuration = try RcloneConfiguration(decrypting: bytes, password: key)
                return try RcloneVolumeConfiguration(configuration)
            }
        } catch .wrongPassword {
            throw .wrongKey(configuration: path)
        } catch {
            throw .configurationInvalid(path: path, cause: error)
        }
    }

    /// Whether there is such a file.
    package func exists() throws(VolumeError) -> Bool {
        do throws(Errno) {
            _ = try FileStatus(path: path)
            return true
        } catch {
            if error == .noSuchFile || error == .notDirectory { return false }
            throw .system(operation: "look up", path: path, error)
        }
    }

    /// Encrypts and writes it, see ``write(_:replacing:)``.
    package func write(_ configuration: RcloneConfiguration, key: SecretBytes) throws(VolumeError) {
        let bytes: [UInt8]
        do throws(VolumeFormatError) {
            bytes = try configuration.encrypted(password: key)
        } catch {
            throw .configurationInvalid(path: path, cause: error)
        }
        try write(bytes)
    }

    /// Writes a configuration, durably: under another name first, so that it is there whole or not
    /// at all.
    ///
    /// - Parameters:
    ///   - bytes: The file's content.
    ///   - isReplacement: Takes the place of the one that is there, with its owner and mode, also
    ///     where a symbolic link leads to it; by default that is an error.
    /// - Throws: ``VolumeError``, with ``VolumeError/configurationMounted(path:)`` for a file that is
    ///   mounted by itself: it could only be overwritten, and an end in the middle would lose the volume.
    package func write(
        _ bytes: [UInt8],
        replacing isReplacement: Bool = false
    ) throws(VolumeError) {
        do throws(VolumeError) {
            try Self(path: isReplacement ? target : path).place(bytes, isReplacement)
        } catch .system(_, _, .busy) where isReplacement {
            throw .configurationMounted(path: path)
        } catch {
            throw error
        }
    }

    /// Where the file really is: replacing a symbolic link would leave what it leads to as it was.
    private var target: String {
        guard let place = try? FileCall.open(path: path, .placeOnly),
            let found = try? FileCall.path(of: place.rawValue)
        else { return path }
        return found
    }

    private func place(_ bytes: [UInt8], _ isReplacement: Bool) throws(VolumeError) {
        guard let name = FileName(Array(path.utf8.reversed().prefix { $0 != 0x2f }.reversed()))
        else { throw .system(operation: "open", path: path, .isDirectory) }
        let parent = String(path.dropLast(name.count))
        try describing("write", path) { () throws(Errno) in
            let directory = try FileCall.open(
                path: parent.isEmpty ? "." : parent,
                [.readOnly, .directory]
            )
            let draft = DraftName.make()
            let descriptor = try FileCall.open(
                draft,
                in: directory.rawValue,
                [.writeOnly, .createNew],
                mode: 0o600
            )
            do throws(Errno) {
                if isReplacement {
                    Self.takeOver(from: name, in: directory.rawValue, to: descriptor.rawValue)
                }
                try write(bytes, to: descriptor.rawValue)
                try FileCall.rename(
                    draft,
                    in: directory.rawValue,
                    to: name,
                    in: directory.rawValue,
                    isReplacement ? .replace : .keepExisting
                )
            } catch {
                try? FileCall.unlink(draft, in: directory.rawValue)
                throw error
            }
            try FileCall.synchronize(directory.rawValue)
        }
    }

    /// Gives a file owner and mode of the one it is going to replace, as far as we may.
    private static func takeOver(from name: FileName, in directory: Int32, to descriptor: Int32) {
        guard let old = try? FileStatus(in: directory, named: name) else { return }
        try? FileCall.setOwner(descriptor, user: old.user, group: old.group)
        try? FileCall.setMode(descriptor, old.mode & 0o777)
    }

    private func write(_ bytes: [UInt8], to descriptor: Int32) throws(Errno) {
        var offset = 0
        while offset < bytes.count {
            // Typed throws do not pass through an array's own lending.
            let count = bytes.withUnsafeBytes { bytes in
                pwrite(
                    descriptor,
                    bytes.baseAddress.map { $0 + offset },
                    bytes.count - offset,
                    off_t(offset)
                )
            }
            if count < 0 {
                let errno = Errno.current
                guard errno == .interrupted else { throw errno }
            } else {
                offset += count
            }
        }
        try FileCall.synchronize(descriptor)
    }

    /// The file's bytes; nil when there is none.
    package func contents() throws(VolumeError) -> [UInt8]? {
        guard let descriptor = try open() else { return nil }
        let limit = RcloneConfiguration.maximumCount
        var bytes = [UInt8](repeating: 0, count: limit + 1)
        var count = 0
        while count < bytes.count {
            let read = bytes.withUnsafeMutableBytes { bytes in
                Glibc.read(
                    descriptor.rawValue,
                    bytes.baseAddress.map { $0 + count },
                    bytes.count - count
                )
            }
            if read == 0 { break }
            if read < 0 {
                let errno = Errno.current
                guard errno == .interrupted else {
                    throw .system(operation: "read", path: path, errno)
                }
            } else {
                count += read
            }
        }
        guard count <= limit else {
            throw .configurationInvalid(
                path: path,
                cause: .configuration(.tooLong(found: count))
            )
        }
        return Array(bytes[..<count])
    }

    private func open() throws(VolumeError) -> OwnedDescriptor? {
        do throws(Errno) {
            return try FileCall.open(path: path, [.readOnly, .nonBlocking])
        } catch {
            if error == .noSuchFile { return nil }
            throw .system(operation: "open", path: path, error)
        }
    }
}
