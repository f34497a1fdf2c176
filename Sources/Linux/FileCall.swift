internal import CLinux
internal import Glibc

/// System calls on files, anchored to directory descriptors, so that nobody can lead a path
/// elsewhere by exchanging a directory above for a symbolic link.
///
/// The descriptors are borrowed: the caller keeps them open for the duration of a call.
public enum FileCall {
    /// Flags of `open`.
    public struct OpenFlags: OptionSet, Sendable {
        /// The kernel's number.
        public let rawValue: Int32

        /// Wraps a number.
        public init(rawValue: Int32) {
            self.rawValue = rawValue
        }

        /// `O_RDONLY`.
        public static let readOnly: OpenFlags = []
        /// `O_WRONLY`.
        public static let writeOnly = OpenFlags(rawValue: O_WRONLY)
        /// `O_RDWR`.
        public static let readWrite = OpenFlags(rawValue: O_RDWR)
        /// `O_CREAT | O_EXCL`.
        public static let createNew = OpenFlags(rawValue: O_CREAT | O_EXCL)
        /// `O_CREAT`.
        public static let create = OpenFlags(rawValue: O_CREAT)
        /// `O_DIRECTORY`.
        public static let directory = OpenFlags(rawValue: O_DIRECTORY)
        /// `O_PATH`: the place, not the content.
        public static let placeOnly = OpenFlags(rawValue: linux_o_path)
        /// `O_TMPFILE`: a file without a name in the directory that is opened.
        public static let unnamed = OpenFlags(rawValue: linux_o_tmpfile)
        /// `O_NONBLOCK`: so that opening a FIFO does not wait for somebody at its other end.
        public static let nonBlocking = OpenFlags(rawValue: O_NONBLOCK)
    }

    /// Opens a name in a directory; never follows a symbolic link, closed on exec.
    ///
    /// The mode is a created file's, before the umask.
    ///
    /// The corresponding C function is `openat` with `O_NOFOLLOW | O_CLOEXEC`.
    public static func open(
        _ name: FileName,
        in directory: Int32,
        _ flags: OpenFlags,
        mode: UInt32 = 0
    ) throws(Errno) -> OwnedDescriptor {
        let descriptor = try name.withCString { name throws(Errno) in
            try valueOrErrno {
                linux_openat(
                    directory,
                    name,
                    flags.rawValue | O_NOFOLLOW | O_CLOEXEC,
                    mode
                )
            }
        }
        return OwnedDescriptor(takingOwnershipOf: descriptor)
    }

    /// Opens a directory once more, or an unnamed file in it.
    ///
    /// The corresponding C function is `openat` with `.`.
    public static func reopen(
        directory: Int32,
        _ flags: OpenFlags,
        mode: UInt32 = 0
    ) throws(Errno) -> OwnedDescriptor {
        let descriptor = try valueOrErrno {
            linux_openat(directory, ".", flags.rawValue | O_CLOEXEC, mode)
        }
        return OwnedDescriptor(takingOwnershipOf: descriptor)
    }

    /// Opens the directory that a directory is in.
    ///
    /// The corresponding C function is `openat` with `..`.
    public static func openParent(of directory: Int32) throws(Errno) -> OwnedDescriptor {
        let descriptor = try valueOrErrno {
            linux_openat(directory, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)
        }
        return OwnedDescriptor(takingOwnershipOf: descriptor)
    }

    /// Opens a path that a person gave; follows symbolic links.
    ///
    /// The corresponding C function is `open`.
    public static func open(
        path: String,
        _ flags: OpenFlags,
        mode: UInt32 = 0
    ) throws(Errno) -> OwnedDescriptor {
        let descriptor = try valueOrErrno {
            linux_openat(AT_FDCWD, path, flags.rawValue | O_CLOEXEC, mode)
        }
        return OwnedDescriptor(takingOwnershipOf: descriptor)
    }

    /// Reads until the buffer is full or the file ends.
    ///
    /// - Returns: How many bytes were read; fewer than the buffer holds only at the end.
    ///
    /// The corresponding C function is `pread`.
    public static func read(
        _ descriptor: Int32,
        at offset: UInt64,
        into buffer: UnsafeMutableRawBufferPointer
    ) throws(Errno) -> Int {
        var count = 0
        while count < buffer.count {
            let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[count...])
            let read = try valueOrErrno {
                pread(descriptor, rest.baseAddress, rest.count, off_t(offset) + off_t(count))
            }
            if read == 0 { break }
            count += read
        }
        return count
    }

    /// Writes all of the buffer.
    ///
    /// The corresponding C function is `pwrite`.
    public static func write(
        _ descriptor: Int32,
        at offset: UInt64,
        _ buffer: UnsafeRawBufferPointer
    ) throws(Errno) {
        var count = 0
        while count < buffer.count {
            let rest = UnsafeRawBufferPointer(rebasing: buffer[count...])
            count += try valueOrErrno {
                pwrite(descriptor, rest.baseAddress, rest.count, off_t(offset) + off_t(count))
            }
        }
    }

    /// Writes two buffers one behind the other, or less of them where there is no room.
    ///
    /// - Parameters:
    ///   - descriptor: Of the file.
    ///   - offset: Where, in bytes.
    ///   - first: At the offset.
    ///   - second: Behind it.
    /// - Returns: How many bytes were written.
    /// - Throws: ``Errno``.
    ///
    /// The corresponding C function is `pwritev`.
    public static func write(
        _ descriptor: Int32,
        at offset: UInt64,
        _ first: UnsafeRawBufferPointer,
        _ second: UnsafeRawBufferPointer
    ) throws(Errno) -> Int {
        try valueOrErrno {
            linux_write_two(
                descriptor,
                offset,
                first.baseAddress,
                first.count,
                second.baseAddress,
                second.count
            )
        }
    }

    /// Waits until a file is on the disk, perhaps without its times.
    ///
    /// The corresponding C functions are `fsync` and `fdatasync`.
    public static func synchronize(
        _ descriptor: Int32,
        dataOnly: Bool = false
    ) throws(Errno) {
        _ = try valueOrErrno { dataOnly ? fdatasync(descriptor) : fsync(descriptor) }
    }

    /// Waits until everything is on the disk that was written to the file system a file is in.
    ///
    /// The corresponding C function is `syncfs`.
    public static func synchronizeFileSystem(of descriptor: Int32) throws(Errno) {
        _ = try valueOrErrno { linux_syncfs(descriptor) }
    }

    /// Has the kernel begin to write part of a file to the disk, without waiting.
    ///
    /// The corresponding C function is `sync_file_range` with `SYNC_FILE_RANGE_WRITE`.
    public static func startWriting(_ descriptor: Int32, at offset: UInt64, count: Int) {
        _ = linux_start_writing(descriptor, offset, UInt64(count))
    }

    /// Has the kernel begin to read part of a file from the disk, without waiting.
    ///
    /// The corresponding C function is `posix_fadvise` with `POSIX_FADV_WILLNEED`.
    public static func startReading(_ descriptor: Int32, at offset: UInt64, count: Int) {
        _ = posix_fadvise(descriptor, off_t(offset), off_t(count), POSIX_FADV_WILLNEED)
    }

    /// Has a descriptor stand for another open file, at once for every thread that uses it.
    ///
    /// The corresponding C function is `dup3` with `O_CLOEXEC`.
    public static func replace(_ descriptor: Int32, by replacement: Int32) throws(Errno) {
        _ = try valueOrErrno { linux_replace(descriptor, replacement) }
    }

    /// The corresponding C function is `ftruncate`.
    public static func truncate(_ descriptor: Int32, to size: UInt64) throws(Errno) {
        _ = try valueOrErrno { ftruncate(descriptor, off_t(size)) }
    }

    /// The corresponding C function is `fchmod`.
    public static func setMode(_ descriptor: Int32, _ mode: UInt32) throws(Errno) {
        _ = try valueOrErrno { fchmod(descriptor, mode) }
    }

    /// Changes the owner, the group, or both.
    ///
    /// The corresponding C function is `fchown`.
    public static func setOwner(
        _ descriptor: Int32,
        user: UInt32?,
        group: UInt32?
    ) throws(Errno) {
        _ = try valueOrErrno { fchown(descriptor, user ?? .max, group ?? .max) }
    }

    /// The corresponding C function is `futimens`.
    public static func setTimes(
        _ descriptor: Int32,
        accessed: FileTime,
        modified: FileTime
    ) throws(Errno) {
        let times = [accessed.specification, modified.specification]
        _ = try valueOrErrno { futimens(descriptor, times) }
    }
}
