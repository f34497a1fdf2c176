internal import Glibc
internal import Linux

/// Owner, mode and times, from one file to another.
enum Attributes {
    static func copy(_ status: FileStatus, to descriptor: Int32) throws(Errno) {
        // Only root may give files away; whoever else transfers them owns them.
        if geteuid() == 0 {
            try FileCall.setOwner(descriptor, user: status.user, group: status.group)
        }
        // After the owner, for a change of owner takes set-user-id away.
        try FileCall.setMode(descriptor, status.mode & 0o7777)
        try FileCall.setTimes(descriptor, accessed: status.accessed, modified: status.modified)
    }
}
