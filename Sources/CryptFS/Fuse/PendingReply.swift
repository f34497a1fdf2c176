internal import CFuse
internal import Linux

/// A request of the kernel's that waits for its answer.
///
/// Every answer uses it up, so answering twice does not compile; one that is dropped without an
/// answer answers `EIO`, so nobody waits for ever.
struct PendingReply: ~Copyable {
    private let request: OpaquePointer

    /// Takes a request over from libfuse.
    init(takingOwnershipOf request: OpaquePointer) {
        self.request = request
    }

    deinit {
        cfuse_reply_error(request, Errno.inputOutput.rawValue)
    }

    /// Who asks; owner of what is created.
    var user: UInt32 { cfuse_request_user(request) }

    /// The asker's group.
    var group: UInt32 { cfuse_request_group(request) }

    /// The asker's umask.
    var mask: UInt32 { cfuse_request_mask(request) }

    /// It failed.
    consuming func fail(_ errno: Errno) {
        cfuse_reply_error(release(), errno.rawValue)
    }

    /// Done, where there is nothing to tell.
    consuming func succeed() {
        cfuse_reply_nothing(release())
    }

    /// A name that was looked up or made.
    ///
    /// - Returns: Whether the kernel took it; where not, it holds no reference.
    consuming func entry(_ entry: cfuse_entry) -> Bool {
        var entry = entry
        return cfuse_reply_entry(release(), &entry) == 0
    }

    /// A file that was made and opened.
    ///
    /// - Returns: Whether the kernel took it; where not, it is neither looked up nor open.
    consuming func created(_ entry: cfuse_entry, handle: UInt64, pages: PageUse) -> Bool {
        var entry = entry
        return cfuse_reply_create(release(), &entry, handle, pages.rawValue) == 0
    }

    /// A file or directory that was opened.
    ///
    /// - Returns: Whether the kernel took it; where not, it is not open.
    consuming func opened(handle: UInt64, pages: PageUse) -> Bool {
        cfuse_reply_open(release(), handle, pages.rawValue) == 0
    }

    /// Attributes, and for how many seconds the kernel may rely on them.
    consuming func attributes(_ attributes: cfuse_attributes, validity: Double) {
        var attributes = attributes
        cfuse_reply_attributes(release(), &attributes, validity)
    }

    /// Bytes read.
    consuming func data(_ bytes: UnsafeRawBufferPointer) {
        cfuse_reply_data(release(), bytes.baseAddress, bytes.count)
    }

    /// How many bytes were written.
    consuming func written(_ count: Int) {
        cfuse_reply_written(release(), count)
    }

    /// How long something is that was asked for without room for it.
    consuming func length(_ count: Int) {
        cfuse_reply_length(release(), count)
    }

    /// Where something is in a file, in bytes.
    consuming func position(_ offset: UInt64) {
        cfuse_reply_position(release(), offset)
    }

    /// Where a symbolic link points.
    ///
    /// - Parameter target: Without NUL.
    consuming func link(_ target: [UInt8]) {
        let request = release()
        (target + [0]).withUnsafeBufferPointer { buffer in
            buffer.withMemoryRebound(to: CChar.self) { text in
                cfuse_reply_link(request, text.baseAddress)
            }
        }
    }

    /// Sizes of the file system.
    consuming func statistics(_ statistics: cfuse_statistics) {
        var statistics = statistics
        cfuse_reply_statistics(release(), &statistics)
    }

    /// Appends a name to a listing in `buffer`.
    ///
    /// - Returns: The bytes it takes; nil where it does not fit.
    borrowing func append(
        name: UnsafePointer<CChar>,
        number: UInt64,
        mode: UInt32,
        next: UInt64,
        to buffer: UnsafeMutableRawBufferPointer
    ) -> Int? {
        let count = cfuse_append_name(
            request,
            buffer.baseAddress,
            buffer.count,
            name,
            number,
            mode,
            next
        )
        return count <= buffer.count ? count : nil
    }

    /// Appends a name with its attributes to a listing in `buffer`.
    ///
    /// - Returns: The bytes it takes; nil where it does not fit.
    borrowing func append(
        name: UnsafePointer<CChar>,
        entry: cfuse_entry,
        next: UInt64,
        to buffer: UnsafeMutableRawBufferPointer
    ) -> Int? {
        var entry = entry
        let count = cfuse_append_entry(
            request,
            buffer.baseAddress,
            buffer.count,
            name,
            &entry,
            next
        )
        return count <= buffer.count ? count : nil
    }

    private consuming func release() -> OpaquePointer {
        let request = request
        discard self
        return request
    }
}

/// What the kernel may do with the pages of something opened.
struct PageUse: OptionSet {
    let rawValue: UInt32

    /// Pages from earlier opens are still right.
    static let keep = PageUse(rawValue: UInt32(CFUSE_KEEP_PAGES))

    /// A directory's listing may be kept.
    static let cacheListing = PageUse(rawValue: UInt32(CFUSE_CACHE_LISTING))
}
