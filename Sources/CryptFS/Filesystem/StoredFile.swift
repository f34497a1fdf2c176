internal import Linux

/// A stored file that is open for what the kernel knows of it.
struct StoredFile {
    let descriptor: Int32

    /// It is a link or a special file, of which only the place is open.
    let isPlaceOnly: Bool

    func setOwner(user: UInt32?, group: UInt32?) throws(Errno) {
        if isPlaceOnly {
            try FilePlace.setOwner(descriptor, user: user, group: group)
        } else {
            try FileCall.setOwner(descriptor, user: user, group: group)
        }
    }

    func setMode(_ mode: UInt32) throws(Errno) {
        if isPlaceOnly {
            try FilePlace.setMode(descriptor, mode)
        } else {
            try FileCall.setMode(descriptor, mode)
        }
    }

    func setTimes(accessed: FileTime, modified: FileTime) throws(Errno) {
        if isPlaceOnly {
            try FilePlace.setTimes(descriptor, accessed: accessed, modified: modified)
        } else {
            try FileCall.setTimes(descriptor, accessed: accessed, modified: modified)
        }
    }
}
