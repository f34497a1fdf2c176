internal import CAllocationCount
internal import CryptFS
internal import Cryptography
internal import Glibc
internal import Linux

// Opens a volume, mounts it and serves it, in one process: what secure-init's supervisor and worker
// do in two. For tests and benchmarks only: the key is an argument.
//
//     cryptfs-test-worker STORAGE MOUNT CONFIGURATION KEY [--create] [--read-only] [--shared] [--journal] [--rclone]
//
// A new volume is a gocryptfs one, unless --rclone says otherwise; CONFIGURATION may be - to look for it.
// Prints `ready` once the mount can be used, and at SIGUSR1 how often it allocated memory; exits when it is
// unmounted.

/// Prints a line, at once.
func say(_ line: String, to descriptor: Int32) {
    var bytes = Array((line + "\n").utf8)
    _ = write(descriptor, &bytes, bytes.count)
}

// What other tests happened to have open is none of this process's business, and would keep their
// mounts busy.
for descriptor in 3..<4096 { close(Int32(descriptor)) }

allocation_count_on_signal()

let arguments = CommandLine.arguments
guard arguments.count >= 5 else {
    say(
        "usage: \(arguments[0]) STORAGE MOUNT CONFIGURATION KEY [--create] [--read-only] [--shared] [--journal] "
            + "[--rclone]",
        to: 2
    )
    exit(64)
}
let isReadOnly = arguments.contains("--read-only")

do throws(VolumeError) {
    let volume = try Volume.open(
        VolumeLocation(
            storage: arguments[1],
            configuration: arguments[3] == "-" ? nil : arguments[3]
        ),
        key: SecretBytes(copying: arguments[4].utf8),
        options: VolumeOptions(
            isReadOnly: isReadOnly,
            isShared: arguments.contains("--shared"),
            keepsJournal: arguments.contains("--journal"),
            createsIfEmpty: arguments.contains("--create"),
            format: arguments.contains("--rclone") ? .rclone : .gocryptfs,
            // So that tests do not spend their time on scrypt.
            keyIsGenerated: true
        )
    )
    let mountPoint = try MountPoint(preparing: arguments[2], storage: arguments[1])
    let device = try MountPoint.openDevice()
    try mountPoint.mount(device: device, readOnly: isReadOnly)
    let session = FilesystemSession(volume: volume, device: device)
    try session.run { say("ready", to: 1) }
} catch {
    say(error.description, to: 2)
    exit(error.exitCode)
}
