internal import CLinux
internal import Glibc

/// Extended attributes of an open file or directory.
///
/// A buffer of no bytes asks for the length only.
public enum ExtendedAttribute {
    /// The longest value and the longest list of names that Linux has, in bytes.
    public static let maximumCount = 65_536

    /// Reads a value.
    ///
    /// - Returns: Its length.
    /// - Throws: ``Errno/noData`` where there is none, ``Errno/outOfRange`` where it does not fit.
    ///
    /// The corresponding C function is `fgetxattr`.
    public static func read(
        _ name: FileName,
        of descriptor: Int32,
        into buffer: UnsafeMutableRawBufferPointer
    ) throws(Errno) -> Int {
        try name.withCString { name throws(Errno) in
            try valueOrErrno { fgetxattr(descriptor, name, buffer.baseAddress, buffer.count) }
        }
    }

    /// Sets a value.
    ///
    /// - Parameters:
    ///   - name: Its name.
    ///   - descriptor: Of the file or directory.
    ///   - value: At most ``maximumCount`` bytes.
    ///   - flags: 0, `XATTR_CREATE` or `XATTR_REPLACE`.
    /// - Throws: ``Errno``.
    ///
    /// The corresponding C function is `fsetxattr`.
    public static func write(
        _ name: FileName,
        of descriptor: Int32,
        _ value: UnsafeRawBufferPointer,
        flags: Int32
    ) throws(Errno) {
        _ = try name.withCString { name throws(Errno) in
            try valueOrErrno {
                fsetxattr(descriptor, name, value.baseAddress, value.count, flags)
            }
        }
    }

    /// Lists the names, each ending in NUL.
    ///
    /// - Returns: The list's length in bytes.
    /// - Throws: ``Errno/outOfRange`` where it does not fit.
    ///
    /// The corresponding C function is `flistxattr`.
    public static func list(
        of descriptor: Int32,
        into buffer: UnsafeMutableRawBufferPointer
    ) throws(Errno) -> Int {
        try valueOrErrno {
            flistxattr(
                descriptor,
                buffer.baseAddress?.assumingMemoryBound(to: CChar.self),
                buffer.count
            )
        }
    }

    /// Removes an attribute.
    ///
    /// - Throws: ``Errno/noData`` where there is none.
    ///
    /// The corresponding C function is `fremovexattr`.
    public static func remove(_ name: FileName, of descriptor: Int32) throws(Errno) {
        _ = try name.withCString { name throws(Errno) in
            try valueOrErrno { fremovexattr(descriptor, name) }
        }
    }
}

extension ExtendedAttribute {
    /// Whether a directory has a default access control list, which what is made in it takes over.
    public static func hasDefaultList(_ directory: Int32) -> Bool {
        fgetxattr(directory, "system.posix_acl_default", nil, 0) > 0
    }
}
